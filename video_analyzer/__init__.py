"""From cameras to visits: what sees people, and what knows them again."""
