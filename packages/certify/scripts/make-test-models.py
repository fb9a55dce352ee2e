#!/usr/bin/env python3
"""Small classifiers of 32 x 32 colour signs as different exporters and users make them, with PyTorch's own logits.

One convolutional network is trained for a minute on the signs with noise and turns (enough to be certified a little),
then written in every form that turnproof should take. All files but mean_std.onnx are the same function.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 onnx==1.23.1 onnxscript==0.7.2
    venv/bin/python packages/certify/scripts/make-test-models.py

writes packages/certify/test-models/*.onnx and reference.json.
"""

import json
import pathlib
import warnings

import numpy as np
import onnx
import torch
from onnx import version_converter
from torch import nn

warnings.filterwarnings('ignore')
torch.set_num_threads(1)
torch.manual_seed(1)
ROOT = pathlib.Path(__file__).resolve().parents[3]
OUT = ROOT / 'packages/certify/test-models'
RECORD = 1 + 3 * 32 * 32
MEAN, STD = [0.5, 0.4, 0.3], [0.25, 0.2, 0.3]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 4, stride=4)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.linear = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.linear(x.flatten(1))


class Through(nn.Module):
    """The network behind something that brings its input into shape."""

    def __init__(self, net, before):
        super().__init__()
        self.net, self.before = net, before

    def forward(self, x):
        return self.net(self.before(x))


def signs():
    records = np.frombuffer((ROOT / 'examples/signs/data/test.bin').read_bytes(), np.uint8).reshape(-1, RECORD)
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    return images, torch.from_numpy(records[:, 0].astype(np.int64))


def train(net, before):
    images, labels = signs()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(500):
        pick = torch.randint(len(images), (32,))
        angle = torch.deg2rad((torch.rand(32) - 0.5) * 20)
        zero = torch.zeros(32)
        turn = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], 1).view(32, 2, 3)
        grid = nn.functional.affine_grid(turn, [32, 3, 32, 32], align_corners=False)
        x = nn.functional.grid_sample(images[pick], grid, align_corners=False)
        x = x + torch.rand(32, 1, 1, 1) * 0.3 * torch.randn(x.shape)
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(before(x)), labels[pick]).backward()
        optimiser.step()
    with torch.no_grad():
        right = (net(before(images + 0.2 * torch.randn(images.shape))).argmax(1) == labels).float().mean()
    print(f'right under noise 0.2: {right:.3f}')


def export(model, name, opset, example, fixed=False):
    path = OUT / name
    axes = None if fixed else {'x': {0: 'n'}, 'logits': {0: 'n'}}
    torch.onnx.export(
        model, example, str(path), opset_version=opset, dynamo=False, input_names=['x'], output_names=['logits'],
        dynamic_axes=axes,
    )
    onnx.checker.check_model(str(path))
    return path


def main():
    OUT.mkdir(exist_ok=True)
    net = Net().eval()
    train(net, lambda x: x)
    two = torch.rand(2, 3, 32, 32)
    for opset in (7, 11, 13, 17):
        export(net, f'torch-opset{opset}.onnx', opset, two)
    newest = version_converter.convert_version(onnx.load(OUT / 'torch-opset17.onnx'), 21)
    onnx.save_model(newest, OUT / 'converted-opset21.onnx')
    program = torch.onnx.export(
        net, (two,), dynamo=True, opset_version=18, input_names=['x'], output_names=['logits'],
        dynamic_shapes=({0: torch.export.Dim('n')},), verbose=False,
    )
    plain = program.model_proto
    for part in [plain, plain.graph, *plain.graph.node]:
        del part.metadata_props[:]  # stack traces with paths of the machine
    for value in [*plain.graph.node, *plain.graph.input, *plain.graph.value_info]:
        value.doc_string = ''
    onnx.save_model(plain, OUT / 'torch-dynamo-opset18.onnx')
    export(net, 'fixed-batch8.onnx', 13, torch.rand(8, 3, 32, 32), fixed=True)
    # As tf2onnx writes Keras models: channels last, and a Transpose before the first convolution.
    export(Through(net, lambda x: x.permute(0, 3, 1, 2)), 'nhwc.onnx', 13, torch.rand(2, 32, 32, 3))
    export(Through(net, lambda x: x.view(-1, 3, 32, 32)), 'flat.onnx', 13, torch.rand(2, 3072))
    export(Through(net, lambda x: x.view(1, 3, 32, 32)), 'flat-column.onnx', 13, torch.rand(1, 3072, 1), fixed=True)
    half = Net().eval()
    half.load_state_dict(net.state_dict())
    export(half.half(), 'float16.onnx', 13, two.half())
    external = onnx.load(OUT / 'torch-opset17.onnx')
    onnx.save_model(
        external, OUT / 'external.onnx', save_as_external_data=True, location='external.weights', size_threshold=256
    )
    soft = nn.Sequential(net, nn.Softmax(1))
    export(soft, 'softmax.onnx', 13, two)

    normalised = Net().eval()
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    train(normalised, lambda x: (x - mean) / std)
    export(normalised, 'mean_std.onnx', 17, two)

    # Images that any language computes alike: byte (73 i + 11 i^2) mod 256 of all numbers in order, by 255.
    i = np.arange(3 * 3072, dtype=np.int64)
    images = torch.from_numpy(((73 * i + 11 * i * i) % 256 / 255).astype(np.float32).reshape(3, 3, 32, 32))
    with torch.no_grad():
        reference = {
            'torch': torch.__version__, 'mean': MEAN, 'std': STD,
            'logits': net(images).tolist(),
            'softmax': soft(images).tolist(),
            'float16': half(images.half()).float().tolist(),
            'mean_std': normalised((images - mean) / std).tolist(),
        }
    (OUT / 'reference.json').write_text(json.dumps(reference, indent=1) + '\n')


main()
