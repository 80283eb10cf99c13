"""When a model of faces is replaced: looks into recordings for whom the new one does not know.

`pictures` finds the moments in a chunk, `transforms` is the pipeline's one step, `job` runs it,
`command` is `tenpo features-reembed`. Whose a face is, the feature database alone decides
(`video_analyzer.feature_db.succession`); nothing of a face goes from one step to another.
"""
