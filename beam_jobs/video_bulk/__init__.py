"""Recorded chunks of many cameras, counted: cameras side by side, each one's chunks in order.

`transforms` is the pipeline's one step, `job` runs it, `command` is `tenpo video-bulk`. What is
done with a chunk is `video_analyzer.record.bulk`'s; live cameras and faces are not for this job.
"""
