"""frames.py PICTURE FOLDER: the upper part of a picture as libcamera's virtual camera takes it, 0.jpg to 11.jpg.

It trembles and has noise, as everything that a camera sees. libcamera scales what is larger than its stream.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

picture, folder = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
picture = picture.resize((round(picture.width * 680 / picture.height), 680))
chance = np.random.default_rng(0)
for number in range(12):
    left = (picture.width - 640) // 2 - 8 + 8 * (number % 3)
    cut = np.asarray(picture.crop((left, 0, left + 640, 480)), np.int16)
    noisy = np.clip(cut + chance.integers(-2, 3, cut.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(folder / f"{number}.jpg", quality=95, subsampling="4:2:0")
