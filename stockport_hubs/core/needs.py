"""Needs a member may share with the pantry: facts of food and language, the same words on both sides of the wall."""

NEED_KINDS = {
    "allergen": "Allergy",
    "diet": "Diet",
    "language": "Interpreter",
    "no_cooking": "No cooking facilities",
}

# The 14 allergens of the Food Information Regulations 2014.
ALLERGENS = {
    "celery": "Celery",
    "gluten": "Cereals containing gluten",
    "crustaceans": "Crustaceans",
    "eggs": "Eggs",
    "fish": "Fish",
    "lupin": "Lupin",
    "milk": "Milk",
    "molluscs": "Molluscs",
    "mustard": "Mustard",
    "peanuts": "Peanuts",
    "sesame": "Sesame",
    "soybeans": "Soybeans",
    "sulphites": "Sulphur dioxide and sulphites",
    "tree_nuts": "Tree nuts",
}


def words(kind: str, value: str) -> str:
    """How a need reads on a screen: "Allergy: milk", "Diet: halal", "Interpreter: Dari", "No cooking facilities"."""
    if kind == "no_cooking":
        return NEED_KINDS[kind]
    return f"{NEED_KINDS[kind]}: {ALLERGENS.get(value, value).lower() if kind == 'allergen' else value}"
