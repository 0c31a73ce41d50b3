"""Writes extras-*.pt: two tensors as torch.save writes them, and beside them what training scripts leave in their checkpoints.

Needs Python's own library alone: of torch and numpy, the pickles hold names and arguments, which stand-ins here have.
"""
import argparse, collections, datetime, decimal, enum, fractions, functools, io, pathlib, pickle, random, re, struct, sys, types, uuid, zipfile


@functools.cache
def stand_in(module, name):
    cls = type(name, (), {"__module__": module})
    for i, part in enumerate(module.split(".")):
        path = ".".join(module.split(".")[: i + 1])
        sys.modules.setdefault(path, types.ModuleType(path))
    setattr(sys.modules[module], name, cls)
    return cls


class Reduced:
    """Pickled as a call of a function or class by its name, as the real thing is; with a state, where it has one."""

    def __init__(self, module, name, *arguments, state=None, items=None):
        self.function, self.arguments, self.state, self.items = stand_in(module, name), arguments, state, items

    def __reduce_ex__(self, protocol):
        return (self.function, self.arguments, self.state, iter(self.items) if self.items else None)


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


FloatStorage = stand_in("torch", "FloatStorage")


def tensor(storage, shape):
    strides = [1]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * size)
    return Reduced("torch._utils", "_rebuild_tensor_v2", storage, 0, tuple(shape), tuple(strides), False, collections.OrderedDict())


class Pickler(pickle._Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", FloatStorage, obj.key, "cpu", len(obj.numbers)) + self.more
        return None

    more = ()


class Mode(enum.Enum):
    FAST = "fast"


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Config:
    def __init__(self):
        self.depth, self.names, self.itself = 3, ["a"], self


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a, self.b = 1, {2}


class Named:
    def __getnewargs_ex__(self):
        return (1,), {"name": "x"}

    def __new__(cls, *arguments, **names):
        return object.__new__(cls)


Point = collections.namedtuple("Point", "x y")
recursive_list = [1]
recursive_list.append(recursive_list)
recursive_tuple = ([],)
recursive_tuple[0].append(recursive_tuple)
dtype = Reduced("numpy", "dtype", "f8", False, True, state=(3, "<", None, None, None, -1, -1, 0))


def extras():
    return {
        "args": argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("/data/x"), device=Reduced("torch", "device", "cuda", 0), layers={1, 2}, mode=Mode.FAST),
        "numbers": [
            Reduced("numpy.core.multiarray", "scalar", dtype, struct.pack("<d", 0.5)), Reduced("numpy._core.multiarray", "scalar", dtype, b"\xff" * 8),
            Reduced("numpy.core.multiarray", "_reconstruct", stand_in("numpy", "ndarray"), (0,), b"b", state=(1, (2, 2), dtype, False, b"\0" * 32)),
            decimal.Decimal("1.5"), fractions.Fraction(1, 3), 1 + 2j, 10 ** 100, 1 << 5000, -(1 << 70),
        ],
        "sets": [{1, "a", (2, 3)}, frozenset([1, 2]), set(), {None}],
        "types": [int, float, dict, len, collections.OrderedDict, Config, Mode, type(None), argparse.Namespace],
        "dates": [datetime.datetime(2024, 5, 6, 7, 8), datetime.date(2024, 5, 6), datetime.timedelta(seconds=3), datetime.timezone.utc],
        "shapes": [Reduced("torch", "Size", (1, 2, 3)), Reduced("torch.serialization", "_get_layout", "torch.strided"), stand_in("torch", "float16")],
        "collections": [
            collections.defaultdict(list, a=[1]), collections.Counter("abb"), collections.deque([1, 2], maxlen=3), Point(1, 2), types.SimpleNamespace(a=1),
            {(1, 2): "tuple", None: "none", 3: "number", True: 1, 2.5: 1, frozenset([1]): 2, b"bytes": 3, Mode.FAST: 4, int: 5}, range(3), slice(1, 2), b"\x80" * 300,
            bytearray(b"\x80" * 300), Ellipsis, NotImplemented, "x" * 300, "\u00fc\U0001f600",
        ],
        "objects": [functools.partial(int, base=2), Config(), Slotted(), Named(), Flags.A | Flags.B, uuid.UUID(int=5), re.compile("a+"), ValueError("wrong"), random.Random(1)],
        "wrapped": Reduced("omegaconf.dictconfig", "DictConfig", {"a": 1}, state={"_metadata": {"x": None}}, items=[1, 2]),
        "unread": Reduced("torch._utils", "_rebuild_tensor_v3", 0, 0, (), (), False, {}, stand_in("torch", "float8_e4m3fn")),
        "recursive": [recursive_list, recursive_tuple],
        "metrics": collections.OrderedDict((f"epoch {i}", i / 7) for i in range(300)),
        "nested": functools.reduce(lambda inner, _: {"deeper": inner}, range(30), 1),
        "none": None,
    }


def write(name, protocol, legacy=False):
    storages = [Storage("0", [0, 1, 2, 3, 4, 5]), Storage("1", [9, 9])]
    weights = collections.OrderedDict([("weight", tensor(storages[0], [2, 3])), ("bias", tensor(storages[1], [2])), ("_extra_state", {1, 2})])
    before, after = extras(), extras()
    checkpoint = {**before, "state_dict": weights, **{f"{key} again": value for key, value in after.items()}}

    def pickled(obj, more=()):
        buffer = io.BytesIO()
        pickler = Pickler(buffer, protocol)
        pickler.more = more
        pickler.dump(obj)
        return buffer.getvalue()

    if legacy:
        with open(name, "wb") as file:
            for part in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}):
                file.write(pickled(part))
            file.write(pickled(checkpoint, (None,)) + pickled([storage.key for storage in storages]))
            for storage in storages:
                file.write(struct.pack("<q", len(storage.numbers)) + struct.pack(f"<{len(storage.numbers)}f", *storage.numbers))
        return
    with zipfile.ZipFile(name, "w", zipfile.ZIP_STORED) as file:
        file.writestr("extras/data.pkl", pickled(checkpoint))
        for storage in storages:
            file.writestr(f"extras/data/{storage.key}", struct.pack(f"<{len(storage.numbers)}f", *storage.numbers))
        file.writestr("extras/version", "3\n")


sys.modules["scripts"] = sys.modules["__main__"]
for own in (Mode, Flags, Config, Slotted, Named, Point):
    own.__module__ = "scripts"
for protocol in (2, 3, 4, 5):
    write(f"extras-{protocol}.pt", protocol)
write("extras-legacy.pt", 4, legacy=True)
