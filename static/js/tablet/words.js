// Lists of words that the server knows as well: they come with the page, so that there is one of each.

export const lists = JSON.parse(document.querySelector("script[data-lists]").dataset.lists);
