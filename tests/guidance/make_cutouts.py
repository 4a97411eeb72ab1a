"""Makes cutouts.json and cutouts.safetensors: cutouts by torchvision 0.26 (torch 2.11) and resize-right 0.0.2.

python make_cutouts.py [OUT [COUNT]]: with COUNT, that many cases with random settings instead of the chosen ones, which
DISCO_CUTOUT_CASES=OUT test_guidance then runs.
Case i has the picture 0.3 unit("check.cut.i", (1,3,h,w)) + 0.5 and dx, the gradient of <y, unit("check.cut.i.c")>; the older
maker's case i the picture 0.5 unit("check.old.i", …)."""
import json
import math
import pathlib
import random
import sys

import torch
import torch.nn.functional as F
import torchvision.transforms as T
from resize_right import resize

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "golden"))
from refweights import unit  # noqa: E402
import safetensors_io  # noqa: E402

NOISE = T.Lambda(lambda x: x + torch.randn_like(x) * 0.01)
GREY = T.Grayscale(3)


def shaken(mode):
    if mode == "Video Input":
        return T.Compose([T.RandomHorizontalFlip(0.5), NOISE, T.RandomAffine(15, (0.1, 0.1)), NOISE,
                          T.RandomPerspective(0.4, 0.7), NOISE, T.RandomGrayscale(0.15), NOISE])
    mirror, hue = (0.5, 0.1) if mode == "None" else (0.4, 0.3)
    return T.Compose([T.RandomHorizontalFlip(mirror), NOISE,
                      T.RandomAffine(10, (0.05, 0.05), interpolation=T.InterpolationMode.BILINEAR), NOISE,
                      T.RandomGrayscale(0.1), NOISE, T.ColorJitter(0.1, 0.1, 0.1, hue)])


def cutouts(x, case):
    height, width = x.shape[2:]
    size, largest = case["cut_size"], min(height, width)
    smallest = min(largest, size)
    shape = [1, 3, size, size]
    across, down = (height - largest) // 2, (width - largest) // 2
    whole = resize(F.pad(x, (across, across, down, down)), out_shape=shape)
    n, cuts = case["overview"], []
    if n > 4:
        cuts += [whole] * n
    else:
        cuts += [whole, GREY(whole), whole.flip(3), GREY(whole.flip(3))][:n]
    for k in range(case["innercut"]):
        side = int(torch.rand([]) ** case["ic_pow"] * (largest - smallest) + smallest)
        left = int(torch.randint(0, width - side + 1, ()))
        top = int(torch.randint(0, height - side + 1, ()))
        cut = x[:, :, top:top + side, left:left + side]
        if k <= int(case["icgray_p"] * case["innercut"]):
            cut = GREY(cut)
        cuts.append(resize(cut, out_shape=shape))
    cuts = torch.cat(cuts)
    return cuts if case["skip_augs"] else shaken(case["animation_mode"])(cuts)


def sinc(x):
    return torch.where(x == 0, torch.ones_like(x), torch.sin(math.pi * x) / (math.pi * x))


def low_pass(x, ratio, axis):
    reach = math.ceil(2 / ratio) - 1
    t = torch.arange(-reach, reach + 1, dtype=torch.float64) * ratio
    taps = (sinc(t) * sinc(t / 2)).float()
    taps = taps / taps.sum()
    pad = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
    planes = F.pad(x.transpose(0, 1), pad, "reflect")
    return F.conv2d(planes, taps.view(1, 1, -1, 1) if axis == 2 else taps.view(1, 1, 1, -1)).transpose(0, 1)


def older_cutouts(x, case):
    x = T.Pad(x.shape[2] // 4, fill=0)(x)
    height, width = x.shape[2:]
    size, largest, n = case["cut_size"], min(height, width), case["count"]
    cuts = []
    for k in range(n):
        if k > n - n // 4:
            cut = x.clone()
        else:
            side = int(largest * torch.zeros(1).normal_(mean=0.8, std=0.3).clip(float(size / largest), 1.0))
            left = int(torch.randint(0, abs(width - side + 1), ()))
            top = int(torch.randint(0, abs(height - side + 1), ()))
            cut = x[:, :, top:top + side, left:left + side]
        if not case["skip_augs"]:
            cut = shaken("Video Input")(cut)
        if size < cut.shape[2]:
            cut = low_pass(cut, size / cut.shape[2], 2)
        if size < cut.shape[3]:
            cut = low_pass(cut, size / cut.shape[3], 3)
        cuts.append(F.interpolate(cut, (size, size), mode="bicubic", align_corners=True))
    return torch.cat(cuts)


def case(seed, mode, height, width, cut_size, overview, innercut, ic_pow, icgray_p, skip_augs=False):
    return {"seed": seed, "animation_mode": mode, "height": height, "width": width, "cut_size": cut_size,
            "overview": overview, "innercut": innercut, "ic_pow": ic_pow, "icgray_p": icgray_p, "skip_augs": skip_augs}


def old_case(seed, height, width, cut_size, count, skip_augs=False):
    return {"seed": seed, "height": height, "width": width, "cut_size": cut_size, "count": count, "skip_augs": skip_augs}


# Each line is here for what it is the only one to have.
CASES = [
    case(1, "None", 37, 58, 24, 5, 0, 1, 0.2, True),          # odd sides; the same plain cut five times
    case(2, "None", 40, 24, 32, 0, 4, 2, 1, True),            # no overview; cuts larger than the picture; all grey
    case(3, "None", 48, 64, 20, 1, 4, 0, 0.3, True),          # power 0: every inner cut is as large as can be
    case(34, "2D", 40, 56, 24, 2, 2, 3.3, 0.35),              # mirrored and made grey
    case(5, "Video Input", 40, 56, 24, 3, 2, 0.5, 0),         # mirrored, in perspective
    case(226, "Video Input", 56, 40, 24, 0, 3, 50, 0.5),      # mirrored and made grey, not in perspective
    case(7, "3D", 40, 56, 24, 4, 0, 1, 0.2),
    case(8, "None", 56, 40, 24, 1, 3, 1, 0.67),
]
OLD_CASES = [
    old_case(21, 40, 30, 20, 5),          # tall; the last of five is no whole picture
    old_case(22, 24, 40, 48, 4),          # cuts larger than the padded picture
    old_case(23, 33, 47, 16, 8, True),
]


def random_cases(count):
    for i in range(count):
        r = random.Random(i)
        yield case(1000 + i, r.choice(["None", "2D", "3D", "Video Input"]), r.randint(16, 90), r.randint(16, 90),
                   r.randint(12, 64), r.randint(0, 7), r.randint(1, 6), r.choice([0, 0.5, 1, 2, 7, r.uniform(0, 20)]),
                   r.choice([0, 1, r.random()]), r.random() < 0.2)


def random_old_cases(count):
    for i in range(count):
        r = random.Random(-1 - i)
        yield old_case(2000 + i, r.randint(16, 60), r.randint(16, 60), r.randint(12, 50), r.randint(1, 9), r.random() < 0.2)


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    cases, tensors = {}, {}
    for i, c in enumerate(random_cases(count) if count else CASES):
        name = f"cut.{i}"
        x = (0.3 * torch.from_numpy(unit(f"check.{name}", (1, 3, c["height"], c["width"]))) + 0.5).requires_grad_()
        torch.manual_seed(c["seed"])
        y = cutouts(x, c)
        dx, = torch.autograd.grad((y * torch.from_numpy(unit(f"check.{name}.c", tuple(y.shape)))).sum(), x)
        cases[name] = c
        tensors[f"{name}.y"], tensors[f"{name}.dx"] = y.detach().numpy(), dx.numpy()
    for i, c in enumerate(random_old_cases(count) if count else OLD_CASES):
        name = f"old.{i}"
        x = 0.5 * torch.from_numpy(unit(f"check.{name}", (1, 3, c["height"], c["width"])))
        torch.manual_seed(c["seed"])
        cases[name] = c
        tensors[f"{name}.y"] = older_cutouts(x, c).numpy()
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(c)}" for name, c in cases.items())
    (out / "cutouts.json").write_text("{\n" + lines + "\n}\n")
    safetensors_io.save(out / "cutouts.safetensors", tensors)


main()
