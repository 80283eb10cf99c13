"""Who is who: from the faces of a track to a person of the tenant, and into its events.

`heads` gives each face to a track, `album` keeps a track's best ones, `vote` makes one feature
of them, `recogniser` asks the feature database and tells the events, `wiring` puts it together
for a store that has faces. Nothing here writes a file.
"""
