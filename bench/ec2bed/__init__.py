"""A fake EC2 of its own, with AWS's documented buckets and latency, for benchmarks alone.

It answers on loopback what the chores ask of AWS: the EC2 query API, and simple stand-ins for
DynamoDB, S3, SNS, Lambda, STS, Auto Scaling, Recycle Bin, CloudWatch and KMS. Listings of any size
cost the same per page, which moto's do not. What was done is read from its state (`/_bed/state`),
never from what a tool says of itself.
"""
