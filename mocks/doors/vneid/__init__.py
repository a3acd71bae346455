"""The citizens' sign-in: the national portal's single sign-on (A1), VNeID's own (A2), a plain provider beside them."""
