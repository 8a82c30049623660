app_name = "pantry"
urlpatterns: list = []
