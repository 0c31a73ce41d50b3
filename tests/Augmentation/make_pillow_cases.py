"""Writes pillow.safetensors: two images, and what Pillow makes of them.

Run here: python3 make_pillow_cases.py. It needs Pillow alone; the committed file is of Pillow 9.4.
"""
import json
import math
import random
import struct

from PIL import Image, ImageEnhance, ImageOps

WIDTH, HEIGHT = 24, 20
UP, DOWN = 1.6, 0.4


def images():
    noise = random.Random(7)
    for low, high in ((0, 255), (35, 190)):  # the second leaves autocontrast something to do
        image = Image.new("RGB", (WIDTH, HEIGHT))
        for y in range(HEIGHT):
            for x in range(WIDTH):
                waves = (x / WIDTH, (y / HEIGHT) ** 2, 0.5 + 0.5 * math.sin(x / 3 + y / 5))
                values = (min(max(0.1 * noise.gauss(0, 1) + wave, 0), 1) for wave in waves)
                image.putpixel((x, y), tuple(round(low + (high - low) * value) for value in values))
        yield image


def affine(image, *matrix):
    return image.transform(image.size, Image.AFFINE, matrix, Image.BILINEAR)


OPERATIONS = {
    "image": lambda p: p,
    "brightness.up": lambda p: ImageEnhance.Brightness(p).enhance(UP),
    "brightness.down": lambda p: ImageEnhance.Brightness(p).enhance(DOWN),
    "contrast.up": lambda p: ImageEnhance.Contrast(p).enhance(UP),
    "contrast.down": lambda p: ImageEnhance.Contrast(p).enhance(DOWN),
    "color.up": lambda p: ImageEnhance.Color(p).enhance(UP),
    "color.down": lambda p: ImageEnhance.Color(p).enhance(DOWN),
    "sharpness.up": lambda p: ImageEnhance.Sharpness(p).enhance(UP),
    "sharpness.down": lambda p: ImageEnhance.Sharpness(p).enhance(DOWN),
    "posterize.3": lambda p: ImageOps.posterize(p, 3),
    "solarize.96": lambda p: ImageOps.solarize(p, 96),
    "invert": ImageOps.invert,
    "autocontrast": ImageOps.autocontrast,
    "equalize": ImageOps.equalize,
    "shear_x.0.3": lambda p: affine(p, 1, 0.3, 0, 0, 1, 0),
    "shear_y.0.3": lambda p: affine(p, 1, 0, 0, 0.3, 1, 0),
    "translate_x.5": lambda p: affine(p, 1, 0, 5, 0, 1, 0),
    "translate_y.5": lambda p: affine(p, 1, 0, 0, 0, 1, 5),
    "rotate.25": lambda p: p.rotate(25, Image.BILINEAR),
    "gray": lambda p: Image.merge("RGB", [p.convert("L")] * 3),
}


def planes(image):
    return b"".join(band.tobytes() for band in image.split())


def main():
    header, data = {}, b""
    sources = list(images())
    for name, operation in OPERATIONS.items():
        values = b"".join(planes(operation(source)) for source in sources)
        header[name] = {"dtype": "U8", "shape": [len(sources), 3, HEIGHT, WIDTH], "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open("pillow.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


main()
