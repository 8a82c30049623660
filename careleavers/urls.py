app_name = "careleavers"
urlpatterns: list = []
