"""User code with mistakes; each is told of on its line, as the comment there says."""

from __future__ import annotations

from deltaglider import create_async_client, create_client

client = create_client()
client.upload(1, "s3://b/k")  # error: arg-type
client.upload("app.zip", "s3://b/k", metdata={})  # error: call-arg
client.get_object(Bucket="b")  # error: call-arg
client.get_object("b", "k")  # error: call-arg
client.get_object(Bucket="b", Key="k")["Bdoy"]  # error: typeddict-item
client.get_object(Bucket="b", Key="k")["Body"].raed()  # error: attr-defined
number: int = client.head_object(Bucket="b", Key="k")["ETag"]  # error: assignment
client.put_object(Bucket="b", Key="k", Body=12)  # error: arg-type
for page in client.get_paginator("list_objects_v2").paginate(Bucket="b"):
    print(page["Contents"][0]["size"])  # error: typeddict-item
for entry in client.list("s3://b/"):
    print(entry.key)  # error: union-attr


async def wrong() -> bytes:
    async with create_async_client() as aclient:
        answer = await aclient.get_object(Bucket="b", Key="k")
        for page in aclient.get_paginator("list_objects_v2").paginate(Bucket="b"):  # error: attr-defined
            print(page)
        return answer["Body"].read()  # error: return-value
