"""Archive: what lies packed in a file, taken out and put back to the byte.

One changed byte changes all of the deflate output behind it, so a delta of packed bytes saves little. Here the streams
that differ are inflated on both sides, in their places; the delta is made of that; and a recipe tells a reader how to
deflate them again, with the encoder that gave the very same bytes. And the headers of zips and tars are made alike, in
which hardly anything tells of what is in them.

Works on files, and knows neither codecs nor stores. The programs it may need are handed in.
"""
