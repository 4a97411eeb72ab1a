#!/usr/bin/env python3
"""Time one guided step of CLIP-guided diffusion in plain eager PyTorch, to compare with `disco bench step`.

It is our own writing of what the community's Disco Diffusion 5.7 computes in a step, as a competent but ordinary
PyTorch program does it: float32, NCHW, one tensor operation after the other. The networks have their real shapes and
random weights, since only the work counts. The ADM UNet runs without gradients for the sampler; the secondary model
(or the UNet once more) predicts the picture; each CLIP model looks at cutouts of it, and its gradient comes back to x.

It is not Disco Diffusion, draws no pictures and reads no weights. Where it differs from 5.7, it is mostly faster or
smaller than that: the cutouts are resized by F.interpolate (cubic, antialiased) instead of by ResizeRight's gathered
neighbours; no checkpoint lies in memory beside the network that it is loaded into; no prompt is encoded. 5.7 keeps the
text towers in memory, so they are here too. Without the secondary model 5.7 trades time for memory by gradient
checkpointing: --checkpoint does. Attention is written out, as in 5.7 at its time; newer versions of PyTorch fuse that
of CLIP (but not the UNet's) by themselves, which `--sdpa clip` does. Flops are not counted.

`--fastest` is what the fastest of today's programs do on a GPU, and a little more: networks in half precision with
channels innermost, compiled by torch.compile, TF32 elsewhere, fused attention everywhere, all batches of cutouts of a
model embedded together with one gradient for all, and nothing waited for within a step.
"""
import argparse
import contextlib
import json
import math
import random
import resource
import sys
import time
from collections import OrderedDict, defaultdict

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

STEPS, CLIP_GUIDANCE_SCALE, TV_SCALE, RANGE_SCALE, SAT_SCALE = 250, 5000, 0, 150, 0
CLAMP_MAX, ETA, IC_POW, ICGRAY_P = .05, .8, 1, .2
CLIP_MEAN, CLIP_STD = (.48145466, .4578275, .40821073), (.26862954, .26130258, .27577711)
GREY = (.2989, .587, .114)
UNETS = {512: "512x512_diffusion_uncond_finetune_008100", 256: "256x256_diffusion_uncond"}
SECONDARY = "secondary_model_imagenet_2"


# ---- The diffusion UNet (Dhariwal & Nichol 2021) ----

class GroupNorm32(nn.GroupNorm):
    """Over 32 groups, always in float32."""

    def __init__(self, channels):
        super().__init__(32, channels)

    def forward(self, x):
        return super().forward(x.float()).type(x.dtype)


def timestep_embedding(t, width):
    half = width // 2
    frequencies = torch.exp(-math.log(10000) / half * torch.arange(half, dtype=torch.float32, device=t.device))
    angles = t[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def resample(x, how):
    if how == "down":
        return F.avg_pool2d(x, 2)
    return F.interpolate(x, scale_factor=2, mode="nearest") if how == "up" else x


class ResBlock(nn.Module):
    """A residual block whose second norm is scaled and shifted by the time's embedding; may halve or double."""

    def __init__(self, channels, out_channels, embedding, how=None):
        super().__init__()
        self.how = how
        self.in_layers = nn.Sequential(GroupNorm32(channels), nn.SiLU(),
                                       nn.Conv2d(channels, out_channels, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * out_channels))
        self.out_layers = nn.Sequential(GroupNorm32(out_channels), nn.SiLU(), nn.Dropout(0),
                                        nn.Conv2d(out_channels, out_channels, 3, padding=1))
        same = channels == out_channels
        self.skip_connection = nn.Identity() if same else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x, emb):
        h = self.in_layers[2](resample(self.in_layers[:2](x), self.how))
        scale, shift = self.emb_layers(emb).type(h.dtype)[:, :, None, None].chunk(2, dim=1)
        h = self.out_layers[0](h) * (1 + scale) + shift
        return self.skip_connection(resample(x, self.how)) + self.out_layers[1:](h)


class AttentionBlock(nn.Module):
    """Attention over the pixels; each head's queries, keys and values lie together (the legacy order)."""

    def __init__(self, channels, head_channels, sdpa):
        super().__init__()
        self.heads, self.sdpa = channels // head_channels, sdpa
        self.norm = GroupNorm32(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x, _):
        n, channels = x.shape[:2]
        pixels = x.reshape(n, channels, -1)
        mixed = self.attend(self.qkv(self.norm(pixels)), channels // self.heads)
        return (pixels + self.proj_out(mixed.reshape(n, channels, -1))).reshape(x.shape)

    def attend(self, qkv, width):
        q, k, v = qkv.reshape(qkv.shape[0] * self.heads, 3 * width, -1).split(width, dim=1)
        if self.sdpa:
            q, k, v = (part[None].transpose(2, 3) for part in (q, k, v))
            return F.scaled_dot_product_attention(q, k, v)[0].transpose(1, 2)
        scale = width ** -.25
        weight = torch.einsum("bct,bcs->bts", q * scale, k * scale)
        weight = torch.softmax(weight.float(), dim=-1).type(weight.dtype)
        return torch.einsum("bts,bcs->bct", weight, v)


class Block(nn.Sequential):
    """Layers of which some want the time's embedding."""

    def forward(self, x, emb):
        for layer in self:
            x = layer(x) if isinstance(layer, nn.Conv2d) else layer(x, emb)
        return x


class UNetModel(nn.Module):
    """ADM's UNet with learned variance, residual resampling, and attention at 32, 16 and 8 of the model's size."""

    def __init__(self, image_size, sdpa=False, checkpointed=False, channels=256, res_blocks=2, head_channels=64):
        super().__init__()
        self.channels, self.checkpointed = channels, checkpointed
        mult = {512: (.5, 1, 1, 2, 2, 4, 4), 256: (1, 1, 2, 2, 4, 4)}[image_size]
        widths = [int(m * channels) for m in mult]
        embedding, last = 4 * channels, len(mult) - 1
        self.time_embed = nn.Sequential(nn.Linear(channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding))

        def attention(width, level):
            attends = level is None or image_size >> level in (32, 16, 8)
            return [AttentionBlock(width, head_channels, sdpa)] if attends else []

        width = widths[0]
        blocks, skips = [Block(nn.Conv2d(3, width, 3, padding=1))], [width]
        for level, own in enumerate(widths):
            for _ in range(res_blocks):
                blocks.append(Block(ResBlock(width, own, embedding), *attention(own, level)))
                width = own
                skips.append(width)
            if level < last:
                blocks.append(Block(ResBlock(width, width, embedding, "down")))
                skips.append(width)
        self.input_blocks = nn.ModuleList(blocks)
        self.middle_block = Block(ResBlock(width, width, embedding), *attention(width, None),
                                  ResBlock(width, width, embedding))
        blocks = []
        for level, own in reversed(list(enumerate(widths))):
            for k in range(res_blocks + 1):
                layers = [ResBlock(width + skips.pop(), own, embedding), *attention(own, level)]
                width = own
                if level > 0 and k == res_blocks:
                    layers.append(ResBlock(width, width, embedding, "up"))
                blocks.append(Block(*layers))
        self.output_blocks = nn.ModuleList(blocks)
        self.out = nn.Sequential(GroupNorm32(width), nn.SiLU(), nn.Conv2d(width, 6, 3, padding=1))

    def run(self, block, h, emb):
        if self.checkpointed and torch.is_grad_enabled():
            return checkpoint(block, h, emb, use_reentrant=False)
        return block(h, emb)

    def forward(self, x, t):
        dtype = self.time_embed[0].weight.dtype
        emb = self.time_embed(timestep_embedding(t, self.channels).to(dtype))
        h, skips = x.to(dtype), []
        for block in self.input_blocks:
            h = self.run(block, h, emb)
            skips.append(h)
        h = self.run(self.middle_block, h, emb)
        for block in self.output_blocks:
            h = self.run(block, torch.cat([h, skips.pop()], dim=1), emb)
        return self.out(h)


# ---- The secondary model (Crowson 2021) ----

class ConvBlock(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(inplace=True))


class SkipBlock(nn.Module):
    """What its layers make of the input, and the input itself."""

    def __init__(self, layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return torch.cat([self.main(x), x], dim=1)


class FourierFeatures(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features // 2, 1))

    def forward(self, t):
        f = 2 * math.pi * t @ self.weight.T
        return torch.cat([f.cos(), f.sin()], dim=-1)


class SecondaryDiffusionImageNet2(nn.Module):
    """Six nested levels; predicts v, from which the picture follows."""

    def __init__(self, width=64):
        super().__init__()
        widths = [width * m for m in (1, 2, 2, 4, 4, 8)]

        def level(i):
            outer, own = widths[i - 1], widths[i]
            deepest = i == len(widths) - 1
            inner = [ConvBlock(own, own)] if deepest else [level(i + 1), ConvBlock(2 * own, own)]
            return SkipBlock([nn.AvgPool2d(2), ConvBlock(outer, own), ConvBlock(own, own), *inner,
                              ConvBlock(own, outer),
                              nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)])

        self.timestep_embed = FourierFeatures(16)
        self.net = nn.Sequential(ConvBlock(3 + 16, width), ConvBlock(width, width), level(1),
                                 ConvBlock(2 * width, width), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x, t):
        planes = self.timestep_embed(t[:, None])[..., None, None].expand(-1, -1, *x.shape[2:])
        v = self.net(torch.cat([x, planes], dim=1).to(self.net[-1].weight.dtype)).to(x.dtype)
        angle = t[:, None, None, None] * math.pi / 2
        return x * angle.cos() - v * angle.sin()


# ---- CLIP (Radford 2021) ----

class LayerNorm(nn.LayerNorm):
    """Always in float32."""

    def forward(self, x):
        return super().forward(x.float()).type(x.dtype)


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def attend(q, k, v, heads, sdpa):
    """Attention of (length, n, width) by heads."""
    (length, n, width), head = q.shape, q.shape[2] // heads
    q, k, v = (part.reshape(-1, n * heads, head).transpose(0, 1) for part in (q, k, v))
    if sdpa:
        q, k, v = (part.view(n, heads, -1, head) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v).reshape(n * heads, length, head)
    else:
        weight = torch.softmax(torch.bmm(q * head ** -.5, k.transpose(1, 2)), dim=-1)
        mixed = torch.bmm(weight, v)
    return mixed.transpose(0, 1).reshape(length, n, width)


class MultiheadAttention(nn.Module):
    def __init__(self, width, heads, sdpa):
        super().__init__()
        self.heads, self.sdpa = heads, sdpa
        self.in_proj_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * width, width)))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        return self.out_proj(attend(q, k, v, self.heads, self.sdpa))


class ResidualAttentionBlock(nn.Module):
    def __init__(self, width, heads, sdpa):
        super().__init__()
        self.attn = MultiheadAttention(width, heads, sdpa)
        self.ln_1 = LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGELU(),
                                             c_proj=nn.Linear(4 * width, width)))
        self.ln_2 = LayerNorm(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, sdpa):
        super().__init__()
        self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads, sdpa) for _ in range(layers)])

    def forward(self, x):
        return self.resblocks(x)


class VisionTransformer(nn.Module):
    def __init__(self, side, patch, width, layers, embed, sdpa):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(width ** -.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width ** -.5 * torch.randn((side // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = LayerNorm(width), LayerNorm(width)
        self.transformer = Transformer(width, layers, width // 64, sdpa)
        self.proj = nn.Parameter(width ** -.5 * torch.randn(width, embed))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(x.dtype).expand(len(x), 1, -1)
        x = self.ln_pre(torch.cat([first, x], dim=1) + self.positional_embedding.to(x.dtype))
        x = self.transformer(x.permute(1, 0, 2)).permute(1, 0, 2)
        return self.ln_post(x[:, 0]) @ self.proj


class Bottleneck(nn.Module):
    """Strides are average pooling."""

    def __init__(self, in_width, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(in_width, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.downsample = None
        if stride > 1 or in_width != 4 * width:
            self.downsample = nn.Sequential(OrderedDict([("-1", nn.AvgPool2d(stride)),
                                                         ("0", nn.Conv2d(in_width, 4 * width, 1, bias=False)),
                                                         ("1", nn.BatchNorm2d(4 * width))]))

    def forward(self, x):
        h = self.relu(self.bn1(self.conv1(x)))
        h = self.avgpool(self.relu(self.bn2(self.conv2(h))))
        h = self.bn3(self.conv3(h))
        return self.relu(h + (x if self.downsample is None else self.downsample(x)))


class AttentionPool2d(nn.Module):
    """Attention over the pixels, asked by their mean."""

    def __init__(self, side, width, heads, embed, sdpa):
        super().__init__()
        self.heads, self.sdpa = heads, sdpa
        self.positional_embedding = nn.Parameter(torch.randn(side ** 2 + 1, width) / width ** .5)
        self.k_proj, self.q_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, embed)

    def forward(self, x):
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(dim=0, keepdim=True), x], dim=0) + self.positional_embedding[:, None].to(x.dtype)
        mixed = attend(self.q_proj(x[:1]), self.k_proj(x), self.v_proj(x), self.heads, self.sdpa)
        return self.c_proj(mixed)[0]


class ModifiedResNet(nn.Module):
    """A ResNet with a stem of three convolutions and attention pooling."""

    def __init__(self, side, width, layers, embed, sdpa):
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.relu, self.avgpool = nn.ReLU(inplace=True), nn.AvgPool2d(2)
        in_width = width
        for stage, blocks in enumerate(layers):
            own = width << stage
            layer = [Bottleneck(in_width, own, 2 if stage else 1)]
            layer += [Bottleneck(4 * own, own, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layer))
            in_width = 4 * own
        self.attnpool = AttentionPool2d(side // 32, in_width, in_width // 64, embed, sdpa)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.avgpool(self.relu(self.bn3(self.conv3(x))))
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class CLIP(nn.Module):
    """Both towers; only the image's is used, the text's lies in memory as it does in 5.7."""

    # name: (width of the embedding, side of the picture, (patch or None, width, layers of the tower), width of text)
    SHAPES = {
        "ViT-B/32": (512, 224, (32, 768, 12), 512),
        "ViT-B/16": (512, 224, (16, 768, 12), 512),
        "ViT-L/14": (768, 224, (14, 1024, 24), 768),
        "RN50": (1024, 224, (None, 64, (3, 4, 6, 3)), 512),
        "RN101": (512, 224, (None, 64, (3, 4, 23, 3)), 512),
        "RN50x4": (640, 288, (None, 80, (4, 6, 10, 6)), 640),
    }

    def __init__(self, name, sdpa=False):
        super().__init__()
        embed, self.side, (patch, width, layers), text = self.SHAPES[name]
        self.name, self.embed = name, embed
        if patch:
            self.visual = VisionTransformer(self.side, patch, width, layers, embed, sdpa)
        else:
            self.visual = ModifiedResNet(self.side, width, layers, embed, sdpa)
        self.transformer = Transformer(text, 12, text // 64, sdpa)
        self.token_embedding = nn.Embedding(49408, text)
        self.positional_embedding = nn.Parameter(.01 * torch.randn(77, text))
        self.ln_final = LayerNorm(text)
        self.text_projection = nn.Parameter(text ** -.5 * torch.randn(text, embed))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / .07)))

    def encode_image(self, x):
        return self.visual(x.to(self.visual.conv1.weight.dtype))


# ---- Cutouts, as Dango's, and their augmentation, as torchvision's ----

def grey(x):
    weights = torch.tensor(GREY, dtype=x.dtype, device=x.device).view(3, 1, 1)
    return (x * weights).sum(dim=1, keepdim=True).expand_as(x)


def resize(x, side):
    return F.interpolate(x, size=(side, side), mode="bicubic", align_corners=False, antialias=True)


def overview_cuts(picture, side, count):
    height, width = picture.shape[2:]
    beside, above = (height - min(height, width)) // 2, (width - min(height, width)) // 2
    cut = resize(F.pad(picture, (beside, beside, above, above)), side)
    if count > 4:
        return [cut] * count
    return [cut, grey(cut), cut.flip(3), grey(cut.flip(3))][:count]


def inner_cuts(picture, side, count):
    height, width = picture.shape[2:]
    largest = min(height, width)
    smallest = min(largest, side)
    for k in range(count):
        size = int(random.random() ** IC_POW * (largest - smallest) + smallest)
        x, y = random.randint(0, width - size), random.randint(0, height - size)
        cut = picture[:, :, y:y + size, x:x + size]
        yield resize(grey(cut) if k <= int(ICGRAY_P * count) else cut, side)


def make_cutouts(picture, side, overview, inner):
    cuts = overview_cuts(picture, side, overview) if overview else []
    return augment(torch.cat([*cuts, *inner_cuts(picture, side, inner)]))


def add_noise(x):
    return x + torch.randn_like(x) * .01


def random_affine(x, degrees, shift):
    """Bilinear; a mask of ones goes along, and what lies outside is black."""
    n, side = len(x), x.shape[3]
    angle = math.radians(random.uniform(-degrees, degrees))
    right, down = (round(random.uniform(-shift, shift) * side) * 2 / side for _ in range(2))
    c, s = math.cos(angle), math.sin(angle)
    theta = torch.tensor([[c, s, -c * right - s * down], [-s, c, s * right - c * down]], device=x.device, dtype=x.dtype)
    both = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    grid = F.affine_grid(theta[None].expand(n, 2, 3), list(both.shape), align_corners=False)
    both = F.grid_sample(both, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return both[:, :3] * both[:, 3:]


def to_hsv(x):
    """The hexcone model (Smith 1978); hue in turns."""
    r, g, b = x.unbind(dim=1)
    largest, smallest = x.max(dim=1).values, x.min(dim=1).values
    colourless, spread = largest == smallest, largest - smallest
    ones = torch.ones_like(largest)
    saturation = spread / torch.where(colourless, ones, largest)
    divisor = torch.where(colourless, ones, spread)
    from_r, from_g, from_b = (largest - r) / divisor, (largest - g) / divisor, (largest - b) / divisor
    hue = (largest == r) * (from_b - from_g)
    hue = hue + ((largest == g) & (largest != r)) * (2 + from_r - from_b)
    hue = hue + ((largest != g) & (largest != r)) * (4 + from_g - from_r)
    return torch.fmod(hue / 6 + 1, 1), saturation, largest


def to_rgb(h, s, v):
    sector = torch.floor(h * 6)
    rest = h * 6 - sector
    p, q, t = (v * (1 - s)).clamp(0, 1), (v * (1 - s * rest)).clamp(0, 1), (v * (1 - s * (1 - rest))).clamp(0, 1)
    chosen = (sector.to(torch.int32) % 6)[:, None] == torch.arange(6, device=v.device).view(1, 6, 1, 1)
    channels = [(v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q)]
    choices = torch.stack([torch.stack(channel, dim=1) for channel in channels], dim=1)
    return torch.einsum("nijk,ncijk->ncjk", chosen.to(v.dtype), choices)


def turn_hue(x, turns):
    h, s, v = to_hsv(x)
    return to_rgb((h + turns) % 1, s, v)


def blend(x, other, share):
    return (x * share + other * (1 - share)).clamp(0, 1)


def colour_jitter(x, strength):
    brightness, contrast, saturation = (random.uniform(1 - strength, 1 + strength) for _ in range(3))
    hue = random.uniform(-strength, strength)
    changes = [lambda y: (y * brightness).clamp(0, 1),
               lambda y: blend(y, grey(y).mean(dim=(1, 2, 3), keepdim=True), contrast),
               lambda y: blend(y, grey(y), saturation),
               lambda y: turn_hue(y, hue)]
    for change in random.sample(changes, len(changes)):
        x = change(x)
    return x


def augment(x):
    x = add_noise(x.flip(3) if random.random() < .5 else x)
    x = add_noise(random_affine(x, 10, .05))
    x = add_noise(grey(x) if random.random() < .1 else x)
    return colour_jitter(x, .1)


def clip_normalise(x):
    mean, std = (torch.tensor(v, dtype=x.dtype, device=x.device).view(3, 1, 1) for v in (CLIP_MEAN, CLIP_STD))
    return (x - mean) / std


# ---- The losses ----

def spherical_distance(u, v):
    u, v = F.normalize(u, dim=-1), F.normalize(v, dim=-1)
    return (u - v).norm(dim=-1).div(2).arcsin().pow(2).mul(2)


def tv_loss(x):
    x = F.pad(x, (0, 1, 0, 1), "replicate")
    right = x[..., :-1, 1:] - x[..., :-1, :-1]
    below = x[..., 1:, :-1] - x[..., :-1, :-1]
    return (right ** 2 + below ** 2).mean([1, 2, 3])


def range_loss(x):
    return (x - x.clamp(-1, 1)).pow(2).mean([1, 2, 3])


def sat_loss(x):
    return (x - x.clamp(-1, 1)).abs().mean()


# ---- The step ----

class Clock:
    """Seconds by part, of the parts that one step passes through. Without parts, nothing waits within a step."""

    def __init__(self, device):
        self.device, self.seconds, self.parts = device, defaultdict(float), True

    def now(self):
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    @contextlib.contextmanager
    def part(self, name):
        if not self.parts:
            yield
            return
        start = self.now()
        yield
        self.seconds[name] += self.now() - start


class GuidedStep:
    """The networks, the schedule, and x at step i."""

    def __init__(self, options):
        self.options, self.device = options, options.device
        self.half = options.fastest or (options.compile and options.device == "cuda")
        self.unet = self.ready(UNetModel(options.unet, options.sdpa == "all", options.checkpoint))
        self.secondary = self.ready(SecondaryDiffusionImageNet2()) if options.secondary else None
        self.clips = [self.ready(CLIP(name, options.sdpa != "none")) for name in options.clip]
        if options.compile:
            torch.set_float32_matmul_precision("high")
            self.unet.compile()
            for clip in self.clips:
                clip.visual.compile()
            if options.fastest and self.secondary is not None:
                self.secondary.compile()
        self.targets = [torch.randn(1, clip.embed, device=self.device) for clip in self.clips]
        betas = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
        self.times = list(range(0, 1000, 1000 // STEPS))
        self.alphas_cumprod = torch.cumprod(1 - betas, 0)[self.times].tolist()
        self.x = torch.randn(1, 3, options.height, options.width, device=self.device)
        self.i = STEPS - 1
        self.clock = Clock(self.device)

    def ready(self, network):
        network = network.requires_grad_(False).eval().to(self.device)
        if not self.options.fastest:
            return network
        network = network.half().to(memory_format=torch.channels_last)
        for part in network.modules():
            if isinstance(part, (GroupNorm32, LayerNorm, nn.BatchNorm2d, FourierFeatures)):
                part.float()
        return network

    def networks(self):
        """Half precision inside the networks, where it was asked for and the weights are not halves themselves."""
        cast = self.half and not self.options.fastest
        return torch.autocast("cuda", torch.float16) if cast else contextlib.nullcontext()

    def run(self):
        with self.clock.part("diffusion"), torch.no_grad():
            x0 = self.predict_x0(self.x)
        gradient = self.guidance(self.x)
        with self.clock.part("sampler"), torch.no_grad():
            self.x = self.ddim_step(self.x, x0, gradient)
        self.i -= 1

    def predict_x0(self, x):
        alpha_bar = self.alphas_cumprod[self.i]
        t = torch.full((1,), float(self.times[self.i]), device=self.device)
        with self.networks():
            eps = self.unet(x, t)[:, :3].float()
        return (x - math.sqrt(1 - alpha_bar) * eps) / math.sqrt(alpha_bar)

    def predict(self, x):
        """The finished picture, for the guidance."""
        if self.secondary is None:
            return self.predict_x0(x)
        alpha_bar = self.alphas_cumprod[self.i]
        t = math.atan2(math.sqrt(1 - alpha_bar), math.sqrt(alpha_bar)) * 2 / math.pi
        with self.networks():
            return self.secondary(x, torch.full((1,), t, device=self.device)).float()

    def guidance(self, x):
        x = x.detach().requires_grad_()
        with self.clock.part("prediction"):
            pred = self.predict(x)
            fac = math.sqrt(1 - self.alphas_cumprod[self.i])
            x_in = pred * fac + x * (1 - fac)
        x_in_grad = torch.zeros_like(x_in)
        together = self.options.cutn_batches if self.options.fastest else 1
        for clip, target in zip(self.clips, self.targets):
            for _ in range(0, self.options.cutn_batches, together):
                x_in_grad += self.clip_gradient(clip, target, x_in, together) * (together / self.options.cutn_batches)
        with self.clock.part("losses"):
            loss = tv_loss(x_in).sum() * TV_SCALE + range_loss(pred).sum() * RANGE_SCALE + sat_loss(x_in) * SAT_SCALE
            x_in_grad += torch.autograd.grad(loss, x_in, retain_graph=True)[0]
            if not self.options.fastest and torch.isnan(x_in_grad).any():
                sys.exit("the gradient is not a number, so that a part of the step would go unmeasured")
        with self.clock.part("prediction backward"):
            gradient = -torch.autograd.grad(x_in, x, x_in_grad)[0]
            magnitude = gradient.square().mean().sqrt()
            return gradient * magnitude.clamp(max=CLAMP_MAX) / magnitude

    def clip_gradient(self, clip, target, x_in, batches):
        """Of the mean of the losses of so many batches."""
        with self.clock.part("cutouts"):
            picture = (x_in + 1) / 2
            cuts = [make_cutouts(picture, clip.side, self.options.overview, self.options.inner) for _ in range(batches)]
            pictures = clip_normalise(torch.cat(cuts))
        # 5.7 asks for the gradient in one go. The leaf between sets the network's time apart from the cutouts'.
        seen = pictures.detach().requires_grad_()
        with self.clock.part(clip.name):
            with self.networks():
                embeddings = clip.encode_image(seen).float()
            loss = spherical_distance(embeddings[:, None], target[None]).sum(1).mean()
        with self.clock.part(f"{clip.name} backward"):
            by_pictures = torch.autograd.grad(loss * CLIP_GUIDANCE_SCALE, seen)[0]
        with self.clock.part("cutouts backward"):
            return torch.autograd.grad(pictures, x_in, by_pictures)[0]

    def ddim_step(self, x, x0, gradient):
        a, i = self.alphas_cumprod, self.i
        alpha_bar, alpha_bar_prev = a[i], a[i - 1] if i > 0 else 1.
        alpha, sigma = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        eps = (x - alpha * x0) / sigma - sigma * gradient
        x0 = (x - sigma * eps) / alpha
        eps = (x - alpha * x0) / sigma
        noise = ETA * math.sqrt((1 - alpha_bar_prev) / (1 - alpha_bar)) * math.sqrt(1 - alpha_bar / alpha_bar_prev)
        mean = x0 * math.sqrt(alpha_bar_prev) + math.sqrt(1 - alpha_bar_prev - noise ** 2) * eps
        return mean + noise * torch.randn_like(x) if i > 0 else mean


# ---- Measuring ----

def median(values):
    return sorted(values)[len(values) // 2]


def peak_memory():
    """The most that the process has held in main memory, or on the GPU that it computes on, in bytes."""
    if torch.cuda.is_initialized():
        return torch.cuda.max_memory_reserved()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_flops(device, side=2048):
    clock, best = Clock(device), 0
    a, b = torch.ones(side, side, device=device), torch.ones(side, side, device=device)
    for _ in range(4):
        start = clock.now()
        torch.mm(a, b)
        best = max(best, 2 * side ** 3 / (clock.now() - start))
    return best


def device_name(device):
    return torch.cuda.get_device_name() if device == "cuda" else f"cpu, {torch.get_num_threads()} threads"


def measure(options):
    """What `disco bench step --json` says, of this program."""
    start = time.perf_counter()
    step = GuidedStep(options)
    loading = time.perf_counter() - start
    steps, parts = [], defaultdict(list)
    if options.device == "cuda":
        # As they are, without waiting for each part. The first one compiles, the second may still.
        step.clock.parts = False
        for k in range(options.steps_measured + 2):
            start = step.clock.now()
            step.run()
            seconds = step.clock.now() - start
            print(f"step {k}: {seconds:.4f} s", file=sys.stderr)
            if k > 1:
                steps.append(seconds)
        step.clock.parts = True
    for k in range(options.steps_measured + 1):
        step.clock.seconds.clear()
        start = step.clock.now()
        step.run()
        if k == 0:
            continue
        if options.device != "cuda":
            steps.append(step.clock.now() - start)
        for name, seconds in step.clock.seconds.items():
            parts[name].append(seconds)
    memory = peak_memory()
    return {"device": device_name(options.device), "seconds": median(steps),
            "parts": [{"part": name, "seconds": median(parts[name]), "flops": 0.0} for name in sorted(parts)],
            "loading_seconds": loading, "peak_memory": memory, "predicted_memory": 0,
            "peak_flops": peak_flops(options.device),
            "made_up": [UNETS[options.unet], *[SECONDARY] * options.secondary, *options.clip]}


def print_table(result):
    rows = [(part["part"], part["seconds"]) for part in result["parts"]]
    width = max(len(name) for name, _ in rows)
    print(f"{'part':{width}}  {'seconds':>9}  share of the step")
    for name, seconds in rows:
        print(f"{name:{width}}  {seconds:9.3f}  {100 * seconds / result['seconds']:.0f} %")
    print(f"{'the step':{width}}  {result['seconds']:9.3f}")
    print(f"{result['device']}; peak memory {result['peak_memory'] / 2 ** 30:.2f} GiB; a matrix product makes "
          f"{result['peak_flops'] / 1e9:.0f} GFLOP/s", file=sys.stderr)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--width", type=int, default=512, help="of the picture, a multiple of 64 (default %(default)s)")
    add("--height", type=int, default=512)
    add("--unet", type=int, choices=list(UNETS), default=512, help="the UNet's own size (default %(default)s)")
    add("--secondary", action=argparse.BooleanOptionalAction, default=True,
        help="the secondary model predicts the picture; without it the UNet, a second time and with gradients")
    add("--clip", type=lambda text: text.split(","), default=["ViT-B/32", "ViT-B/16", "RN50"], metavar="NAMES",
        help=f"of {', '.join(CLIP.SHAPES)}; separated by commas (default ViT-B/32,ViT-B/16,RN50)")
    add("--overview", type=int, default=12, metavar="N", help="cuts of the whole picture (default %(default)s)")
    add("--inner", type=int, default=4, metavar="N", help="cuts of parts of it (default %(default)s)")
    add("--cutn-batches", type=int, default=1, metavar="N", help="batches of cuts a CLIP model (default %(default)s)")
    add("--steps-measured", type=int, default=3, metavar="N", help="after one to warm up (default %(default)s)")
    add("--threads", type=int, default=0, metavar="N", help="processor cores to use (default 0: all)")
    add("--device", choices=["cpu", "cuda"], default="cpu")
    add("--sdpa", nargs="?", choices=["none", "clip", "all"], const="all", default="none",
        help="where attention is PyTorch's fused one (without a word: all)")
    add("--checkpoint", action="store_true", help="gradient checkpointing in the UNet, as 5.7 has")
    add("--compile", action="store_true",
        help="torch.compile the UNet and CLIP's image towers; on CUDA also half precision (autocast) and TF32")
    add("--fastest", action="store_true", help="on CUDA: compiled, in half precision and batched, see above")
    add("--eager", action="store_true", help="the rest of --fastest, without compiling")
    add("--json", action="store_true", help="print JSON, in the format of disco bench step")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.clip if name not in CLIP.SHAPES]
    if unknown:
        parser.error(f"no such CLIP model: {', '.join(unknown)}")
    if options.width < 64 or options.height < 64 or options.width % 64 or options.height % 64:
        parser.error("width and height are multiples of 64")
    if min(options.overview, options.inner) < 0 or options.overview + options.inner == 0:
        parser.error("there are no cuts to look at")
    if options.fastest:
        if options.device != "cuda":
            parser.error("--fastest needs --device cuda")
        options.compile, options.sdpa = not options.eager, "all"
    if not 1 <= 2 * options.steps_measured < STEPS - 3 or options.cutn_batches < 1:
        parser.error(f"--steps-measured is 1 to {(STEPS - 4) // 2}, --cutn-batches at least 1")
    return options


def main(arguments):
    options = parse(arguments)
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    result = measure(options)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print_table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
