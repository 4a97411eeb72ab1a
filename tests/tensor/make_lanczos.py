"""Makes lanczos.json: CRC-32 of the samples of pictures resized by Pillow's Lanczos filter, horizontal pass first.

Run it with Pillow 12 or older; 13 takes the vertical pass first where that is cheaper, which rounds otherwise.
Sample i of the picture of a case is the highest byte of splitmix64(case << 32 | i)."""
import json
import pathlib
import random
import zlib

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def samples(case, count):
    z = np.arange(count, dtype=np.uint64) + np.uint64(case << 32) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(56)).astype(np.uint8)


def main():
    random.seed(1)
    shapes = [(3, 37, 23, 64, 48), (3, 50, 40, 50, 13), (3, 50, 40, 20, 40), (3, 1, 1, 5, 7), (3, 200, 3, 3, 200),
              (1, 31, 29, 8, 8), (4, 31, 29, 16, 40), (3, 9, 9, 9, 9), (3, 640, 2, 1, 2), (3, 512, 384, 192, 128)]
    for channels in (1, 3, 3, 3, 4) * 12:
        shapes.append((channels, *(random.randint(1, 120) for _ in range(4))))
    cases = []
    for case, (channels, width, height, new_width, new_height) in enumerate(shapes):
        pixels = samples(case, width * height * channels).reshape(height, width, channels)
        picture = Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels, MODES[channels])
        resized = picture.resize((new_width, new_height), Image.Resampling.LANCZOS)
        cases.append({"channels": channels, "from": [width, height], "to": [new_width, new_height],
                      "crc32": zlib.crc32(resized.tobytes())})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (pathlib.Path(__file__).parent / "lanczos.json").write_text(f"[\n{lines}\n]\n")


main()
