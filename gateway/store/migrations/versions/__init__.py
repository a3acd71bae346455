"""One module for each version of the tables. A version that has been released is never changed again."""
