"""Sigma rules -> detections. The only place that knows pySigma, and none of it goes to AWS."""
