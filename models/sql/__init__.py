"""What peewee would do too slowly: prepared queries, bulk inserts, a cache of counts."""
