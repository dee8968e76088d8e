"""Small networks that look at pictures and say where the object is and where it heads."""
