"""Labelled files of a user's, such as pictures or recordings: which label each has, and what is odd.

folder -> Listing (labels, groups) + Survey (what each file holds) -> steps -> ItemReport, Items
"""
