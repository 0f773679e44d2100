#!/usr/bin/env python3
"""Write the first inputs of the fuzz targets, from which libFuzzer finds the others: generate.py, in this folder."""
import gzip
import io
import json
import pathlib
import struct
import zipfile

HERE = pathlib.Path(__file__).parent


def write(target, name, content):
    (HERE / target).mkdir(exist_ok=True)
    (HERE / target / name).write_bytes(content)


def pieces(*contents):
    return b''.join(struct.pack('<H', len(c)) + c for c in contents)


def choose(reader, choice=0):
    """The first byte of an input of fuzz/data.c."""
    return bytes([reader + 8 * choice])


# ---------------------------------------------------------------------------------------------- checkpoints

def safetensors(tensors, metadata=None, padding=0):
    header, data = {}, b''
    if metadata is not None:
        header['__metadata__'] = metadata
    for name, dtype, shape, content in tensors:
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(',', ':')).encode() + b' ' * padding
    return struct.pack('<Q', len(text)) + text + data


def floats(count):
    return struct.pack(f'<{count}f', *[0.1 * i for i in range(count)])


def checkpoints():
    model = ('{"input":[2],"loss":"cross_entropy","stages":[{"feedforward":[{"type":"linear","out_features":3}]},'
             '{"energy":{"type":"hopfield","couplings":[{"type":"dense","out_features":2}]}}]}')
    values = [('stage0.0.weight', 'F32', [3, 2], floats(6)), ('stage0.0.bias', 'F32', [3], floats(3)),
              ('stage1.0.weight', 'F32', [2, 3], floats(6)), ('stage1.0.bias', 'F32', [2], floats(2))]
    moments = [(f'optimizer.{moment}.{name}', *rest) for moment in ('first_moment', 'second_moment')
               for name, *rest in values]
    steps = [('optimizer.steps', 'I64', [1], struct.pack('<q', 3))]
    write('checkpoint', 'model', safetensors(values, {'model': model, 'note': 'x'}))
    write('checkpoint', 'adam', safetensors(values + moments + steps, {'model': model, 'optimizer': 'adam'}, 5))
    write('checkpoint', 'types', safetensors([('a', 'F64', [], bytes(8)), ('b', 'I64', [1, 2], bytes(16)),
                                              ('z', 'BF16', [2], bytes(4)), ('e', 'F32', [0, 3], b'')], {}))


# ------------------------------------------------------------------------------------------------ data sets

def npy(dtype, shape, content):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b' ' * ((64 - (10 + len(header) + 1)) % 64) + b'\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + content


def npz(**arrays):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + '.npy'), content)
    return memory.getvalue()


def data_sets():
    digits, idx, cifar10, cifar100, imagenet, array = range(6)
    rows = b''.join(b','.join(b'%d' % (i * j % 17) for j in range(64)) + b',%d\n' % (i % 10) for i in range(6))
    write('data', 'digits', choose(digits) + rows)
    write('data', 'digits-last', choose(digits, 2) + rows * 70)
    write('data', 'digits-gzip', choose(digits, 1) + gzip.compress(rows, mtime=0))
    write('data', 'digits-members', choose(digits, 1) + gzip.compress(rows[:300], mtime=0) +
          gzip.compress(rows[300:], mtime=0))
    images = struct.pack('>IIII', 0x803, 2, 3, 3) + bytes(range(18))
    labels = struct.pack('>II', 0x801, 2) + b'\1\2'
    for name, choice in ('idx', 0), ('idx-packed', 15), ('idx-mixed', 5):
        write('data', name, choose(idx, choice) + pieces(images, labels, images, labels))
    write('data', 'cifar10', choose(cifar10) + pieces(*[pieces(b'\1\2')] * 6))
    write('data', 'cifar10-short', choose(cifar10) + pieces(*[pieces(b'\1') + b'x'] * 6))
    write('data', 'cifar100', choose(cifar100) + pieces(pieces(b'\1\2'), pieces(b'\3')))
    numbers = npy('<i8', '(1,)', struct.pack('<q', 5))
    write('data', 'imagenet', choose(imagenet, 2) + pieces(npy('|u1', '(1, 3072)', b''), numbers))
    whole = npz(data=npy('|u1', '(1, 3072)', b'\3' * 3072), labels=numbers)
    write('data', 'imagenet-archive', choose(imagenet, 1) + pieces(b'', b'') + whole)
    write('data', 'npy-2', choose(array) + npy('|u1', '(2, 3)', bytes(6)))
    write('data', 'npy-1', choose(array) + npy('<i8', '(4,)', struct.pack('<4q', 1, 2, 3, 4)))
    write('data', 'npy-0', choose(array) + npy('<i2', '()', b'\xff\xff'))


# -------------------------------------------------------------------------------------------------- the API

def calls():
    """Any bytes are a sequence of calls: some of all kinds."""
    for name, step in ('up', 1), ('down', 251), ('leaps', 37), ('long-leaps', 101):
        write('api', name, bytes(step * i % 256 for i in range(700)))


# --------------------------------------------------------------------------------------------- dictionaries

NUMBERS = '0 -1 1e18 1e308 1e309 -1e-320 0.5 2147483648 4294967296 9007199254740992 NaN [] {} true false null'
KEYS = ('''dtype input loss initialization recipe stages feedforward energy type hopfield activation clamp_last couplings
    slope hard_sigmoid linear conv2d flatten maxpool2d avgpool2d batchnorm2d layernorm relu tanh sigmoid dense
    out_features out_channels kernel stride padding bias frozen epsilon momentum pool max uniform goe gain variance
    float32 float64 cross_entropy mse none epochs batch lr lr_min weight_decay beta free_tolerance nudged_tolerance
    free_sweeps nudged_sweeps estimator optimizer schedule schedule_per augment nesterov switches label_smoothing
    clip_norm lr_factor lr_period warmup nudging precision relaxation centered positive negative random_sign four_point
    implicit adam adamw sgd cosine step constant epoch follow hold full mixed auto flip flip-crop user''')
TENSORS = ('''__metadata__ dtype shape data_offsets F32 F64 I64 BF16 model note optimizer algorithm steps
    stage0.0.weight stage0.0.bias stage1.0.weight''')


def dictionary(target, quoted, plain):
    words = [f'"\\"{word}\\""' for word in quoted.split()] + [f'"{word}"' for word in plain.split()]
    (HERE / f'{target}.dict').write_text('\n'.join(words) + '\n')


checkpoints()
data_sets()
calls()
dictionary('parse', KEYS, NUMBERS)
dictionary('checkpoint', TENSORS, NUMBERS)
