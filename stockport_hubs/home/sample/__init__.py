"""The sample pilot: an invented council, operator, staff and members, and 26 weeks of their story.

Everything in it is made up and says so: the organisations carry "(sample)", surnames are words nobody is called,
addresses do not exist; postcodes alone are the town's, so that one pantry is the nearest. The same start and seed give
the same rows.
"""
