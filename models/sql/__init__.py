"""The databases themselves, and what peewee would do too slowly."""
