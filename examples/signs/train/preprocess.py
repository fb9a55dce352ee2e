"""math.md's transformations and `pre` for batches of torch images, as the classifiers are trained and measured.

Not for certificates: this is float32 without error bounds. Images are [batch, 3, 32, 32] in [0, 1].
"""
import math

import torch
import torch.nn.functional as F


def coordinates(size: int) -> torch.Tensor:
    """Pixel k of a row or column of `size` sits at 2k - (size - 1): the centre is 0, neighbours are 2 apart."""
    return 2.0 * torch.arange(size, dtype=torch.float32) - (size - 1)


def rotate(images: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
    """Counter-clockwise as displayed, bilinear, 0 outside; `degrees` holds one angle an image.

    Output at (X, Y) = I(X cos - Y sin, X sin + Y cos). grid_sample with align_corners wants X / (width - 1).
    """
    height, width = images.shape[2:]
    angle = degrees * (math.pi / 180.0)
    cos, sin = torch.cos(angle).view(-1, 1, 1), torch.sin(angle).view(-1, 1, 1)
    y, x = torch.meshgrid(coordinates(height), coordinates(width), indexing="ij")
    grid = torch.stack(((x * cos - y * sin) / (width - 1), (x * sin + y * cos) / (height - 1)), dim=-1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def translate(images: torch.Tensor, dx: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    """Right and down by (dx, dy) pixels, bilinear, 0 outside."""
    height, width = images.shape[2:]
    y, x = torch.meshgrid(coordinates(height), coordinates(width), indexing="ij")
    grid_x = (x - 2.0 * dx.view(-1, 1, 1)) / (width - 1)
    grid_y = (y - 2.0 * dy.view(-1, 1, 1)) / (height - 1)
    return F.grid_sample(
        images, torch.stack((grid_x, grid_y), dim=-1), mode="bilinear", padding_mode="zeros", align_corners=True
    )


def vignette_mask(kind: str, offset: int, height: int, width: int) -> torch.Tensor:
    """1 where `circle` (X^2 + Y^2 <= rho^2) or `rect` keeps a pixel, else 0; [height, width]."""
    y, x = torch.meshgrid(coordinates(height), coordinates(width), indexing="ij")
    if kind == "circle":
        rho = min(height, width) - 1 - 2 * offset
        return (x * x + y * y <= rho * rho).float()
    return ((x.abs() <= width - 1 - 2 * offset) & (y.abs() <= height - 1 - 2 * offset)).float()


def blur_kernel(size: int, sigma: float) -> torch.Tensor:
    """[size] weights proportional to exp(-i^2 / (2 sigma^2)), summing to 1; their outer product is the 2-D kernel."""
    i = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    k = torch.exp(-i * i / (2 * sigma * sigma))
    return k / k.sum()


class Pre:
    """`pre`: the vignette, then the blur with zero padding."""

    def __init__(self, kind: str, offset: int, blur_size: int = 5, blur_sigma: float = 1.0, side: int = 32):
        self.mask = vignette_mask(kind, offset, side, side)
        k = blur_kernel(blur_size, blur_sigma)
        self.rows = k.view(1, 1, -1, 1).repeat(3, 1, 1, 1)
        self.columns = k.view(1, 1, 1, -1).repeat(3, 1, 1, 1)
        self.pad = (blur_size - 1) // 2

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        kept = images * self.mask
        down = F.conv2d(kept, self.rows, padding=(self.pad, 0), groups=3)
        return F.conv2d(down, self.columns, padding=(0, self.pad), groups=3)
