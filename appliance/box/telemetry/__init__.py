"""Series of figures: gathered from what boxd hears, kept while the site is cut off, written to InfluxDB."""
