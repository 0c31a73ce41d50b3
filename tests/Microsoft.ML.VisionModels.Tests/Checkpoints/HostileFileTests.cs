using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Malformed and malicious files: each gives one clear exception, at once, and costs no more memory than it has bytes.</summary>
public class HostileFileTests
{
    private static readonly Dictionary<string, byte[]> s_headers = new()
    {
        ["header of 2^63 bytes"] = [0, 0, 0, 0, 0, 0, 0, 0x80, (byte)'{', (byte)'}'],
        ["header of 99 MB in a short file"] = [.. Length(99_000_000), (byte)'{'],
        ["truncated length"] = [1, 2, 3],
        ["nothing"] = [],
        ["empty header"] = Safetensors(""),
        ["not JSON"] = Safetensors("{\"a\": "),
        ["not an object"] = Safetensors("[1, 2]"),
        ["not UTF-8"] = [.. Length(10), (byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'{', (byte)'}', (byte)'}', (byte)' '],
        ["deep JSON"] = Safetensors("{\"a\":" + string.Concat(Enumerable.Repeat("{\"a\":", 100_000))),
        ["deep metadata"] = Safetensors("{\"__metadata__\":" + new string('[', 100_000)),
        ["something behind the header"] = Safetensors("{} {}"),
        ["unknown type"] = Safetensors(Tensor("a", "F4", "[1]", 0, 4), 4),
        ["type that is a number"] = Safetensors("{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
        ["negative dimension"] = Safetensors(Tensor("a", "F32", "[-1]", 0, 4), 4),
        ["dimension of 2^64"] = Safetensors(Tensor("a", "F32", "[18446744073709551616]", 0, 4), 4),
        ["fractional dimension"] = Safetensors(Tensor("a", "F32", "[1.5]", 0, 4), 4),
        ["product that overflows"] = Safetensors(Tensor("a", "F32", "[4611686018427387904,4]", 0, 0)),
        ["product that overflows to the right size"] = Safetensors(Tensor("a", "U8", "[4294967296,4294967296,1]", 0, 0)),
        ["empty tensor of 2^124"] = Safetensors(Tensor("a", "F32", "[0,4611686018427387904,4611686018427387904]", 0, 0)),
        ["a million dimensions"] = Safetensors(Tensor("a", "F32", "[" + string.Join(",", Enumerable.Repeat("1", 1_000_000)) + "]", 0, 4), 4),
        ["name of a megabyte"] = Safetensors(Tensor(new string('a', 1 << 20), "F32", "[-1]", 0, 4), 4),
        ["shape larger than its bytes"] = Safetensors(Tensor("a", "F32", "[2]", 0, 4), 4),
        ["offsets that run backwards"] = Safetensors(Tensor("a", "F32", "[1]", 4, 0), 4),
        ["offsets behind the end"] = Safetensors(Tensor("a", "F32", "[1000000000]", 0, 4_000_000_000), 4),
        ["overlap"] = Safetensors("{" + Tensor("a", "F32", "[1]", 0, 4)[1..^1] + "," + Tensor("b", "F32", "[1]", 2, 6)[1..], 6),
        ["hole"] = Safetensors("{" + Tensor("a", "F32", "[1]", 0, 4)[1..^1] + "," + Tensor("b", "F32", "[1]", 8, 12)[1..], 12),
        ["bytes behind the tensors"] = Safetensors(Tensor("a", "F32", "[1]", 0, 4), 5),
        ["missing bytes"] = Safetensors(Tensor("a", "F32", "[1]", 0, 4), 3),
        ["tensor twice"] = Safetensors("{" + Tensor("a", "F32", "[1]", 0, 4)[1..^1] + "," + Tensor("a", "F32", "[1]", 4, 8)[1..], 8),
        ["shape twice"] = Safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
        ["no shape"] = Safetensors("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4),
        ["metadata that are not text"] = Safetensors("{\"__metadata__\":{\"a\":1}}"),
    };

    private static readonly Dictionary<string, byte[]> s_pickles = new()
    {
        ["calls os.system"] = [.. Global("os", "system"), .. Text("true"), 0x85, (byte)'R'],
        ["calls builtins.eval by its stack form"] = [.. Text("builtins"), .. Text("eval"), 0x93, .. Text("1"), 0x85, (byte)'R'],
        ["a class of an unknown module"] = Global("argparse", "Namespace"),
        ["calls what a call gave"] = [.. Global("os", "system"), .. Text("true"), 0x85, (byte)'R', (byte)')', (byte)'R'],
        ["an object of an unknown class with a state"] = [.. Global("os", "system"), (byte)')', 0x81, (byte)'}', (byte)'b'],
        ["a tensor of what a call gives"] = [(byte)'}', .. Text("a"), .. Global("torch._utils", "_rebuild_tensor_v2"), (byte)'(', .. Global("os", "system"), (byte)')', (byte)'R', (byte)'t', (byte)'R', (byte)'s'],
        ["a tensor by a class of its own, again and again"] = [(byte)'}', .. Text("a"), .. Global("torch._tensor", "_rebuild_from_type_v2"), (byte)'q', 0, (byte)'(', (byte)'h', 0, (byte)'N', (byte)')', (byte)'N', (byte)'t', (byte)'R', (byte)'s'],
        ["a parameter of nothing"] = [(byte)'}', .. Text("a"), .. Global("torch._utils", "_rebuild_parameter"), (byte)')', (byte)'R', (byte)'s'],
        ["an ordered dictionary of no pairs"] = [.. Global("collections", "OrderedDict"), (byte)']', (byte)'K', 1, (byte)'a', 0x85, (byte)'R'],
        ["bytes of 2 GB"] = [(byte)'B', 0xff, 0xff, 0xff, 0x7f],
        ["bytes of 2^63"] = [0x8e, 0, 0, 0, 0, 0, 0, 0, 0x80],
        ["number of 2 GB"] = [0x8b, 0xff, 0xff, 0xff, 0x7f],
        ["a buffer outside the file"] = [0x97],
        ["memory by keys of one remainder"] = [(byte)'}', .. Enumerable.Range(0, 100_000).SelectMany(i => (byte[])[(byte)'r', .. BitConverter.GetBytes((uint)i * 25_229)])],
        ["many tensors of one storage that repeats"] = Repeated(),
        ["calls a text"] = [.. Text("a"), (byte)')', (byte)'R'],
        ["calls a storage"] = [.. Global("torch", "FloatStorage"), (byte)')', (byte)'R'],
        ["builds a tensor from nothing"] = [.. Global("torch._utils", "_rebuild_tensor_v2"), (byte)')', (byte)'R'],
        ["text of 4 GB"] = [(byte)'X', 0xff, 0xff, 0xff, 0xff],
        ["text of 2 GB"] = [(byte)'X', 0xff, 0xff, 0xff, 0x7f],
        ["text that is not UTF-8"] = [(byte)'X', 1, 0, 0, 0, 0xff],
        ["number longer than the file"] = [0x8a, 0xff, 1, 2],
        ["stack underflow"] = [(byte)'R'],
        ["tuple across a mark"] = [(byte)'}', (byte)'(', 0x86],
        ["no mark"] = [(byte)'}', (byte)'u'],
        ["items without values"] = [(byte)'}', (byte)'(', .. Text("a"), (byte)'u'],
        ["key that is a list"] = [(byte)'}', (byte)']', (byte)'N', (byte)'s'],
        ["key twice"] = [(byte)'}', .. Text("a"), (byte)'N', (byte)'s', .. Text("a"), (byte)'N', (byte)'s'],
        ["recalls what was never stored"] = [(byte)'j', 0xff, 0xff, 0xff, 0x7f],
        ["stores nothing"] = [(byte)'q', 0],
        ["attributes of a list"] = [(byte)']', (byte)'}', (byte)'b'],
        ["unknown instruction"] = [0xff],
        ["inst instruction"] = [(byte)'(', .. Encoding.ASCII.GetBytes("ios\nsystem\n")],
        ["endless name"] = [(byte)'c', .. Enumerable.Repeat((byte)'a', 5000)],
        ["ten million dictionaries"] = [.. Enumerable.Repeat((byte)'}', 10_000_000)],
        ["no end"] = [(byte)'N'],
        ["two values"] = [(byte)'N', (byte)'N'],
        ["no tensors"] = [(byte)'}'],
        ["dictionary within itself"] = [(byte)'}', (byte)'q', 0, .. Text("model"), (byte)'h', 0, (byte)'s'],
        ["a billion entries"] = Laughs(),
        ["keys of one hash"] = [(byte)'}', (byte)'(', .. Enumerable.Range(0, 100_000).SelectMany(i => (byte[])[.. Number(((long)i << 32) | (uint)i), (byte)'N']), (byte)'u'],
        ["long names for many entries"] = LongNames(),
        ["storage outside the file"] = TensorOf([.. Storage("../0", 2)], 0, 2, 1),
        ["storage of 2^60 elements"] = TensorOf([.. Storage("0", 1L << 60)], 0, 2, 1),
        ["storage of 2^62 elements"] = TensorOf([.. Storage("0", 1L << 62)], 0, 2, 1),
        ["negative storage"] = TensorOf([.. Storage("0", -1)], 0, 2, 1),
        ["missing storage"] = TensorOf([.. Storage("1", 2)], 0, 2, 1),
        ["tensor behind its storage"] = TensorOf([.. Storage("0", 2)], 1, 2, 1),
        ["negative offset"] = TensorOf([.. Storage("0", 2)], -1, 2, 1),
        ["negative size"] = TensorOf([.. Storage("0", 2)], 0, -2, 1),
        ["negative stride"] = TensorOf([.. Storage("0", 2)], 1, 2, -1),
        ["stride that overflows"] = TensorOf([.. Storage("0", 2)], 0, 3, long.MaxValue),
        ["stride of 0 with 2^40 elements"] = TensorOf([.. Storage("0", 2)], 0, 1L << 40, 0),
        ["persistent id that is a number"] = [(byte)'K', 1, (byte)'Q'],
    };

    private static readonly Dictionary<string, (string Name, byte[] Bytes, CompressionLevel Level)[]> s_archives = new()
    {
        ["entry that climbs out"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("../data/0", new byte[8], CompressionLevel.NoCompression)],
        ["entry from the root"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("/data/0", new byte[8], CompressionLevel.NoCompression)],
        ["entry with backslashes"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("..\\data\\0", new byte[8], CompressionLevel.NoCompression)],
        ["compressed storage"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("a/data/0", new byte[1 << 20], CompressionLevel.SmallestSize)],
        ["storage of another size"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("a/data/0", new byte[12], CompressionLevel.NoCompression)],
        ["entry twice"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("a/data/0", new byte[8], CompressionLevel.NoCompression), ("a/data/0", new byte[8], CompressionLevel.NoCompression)],
        ["two pickles"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("b/data.pkl", Pickle(Sound), CompressionLevel.NoCompression)],
        ["no pickle"] = [("a/data/0", new byte[8], CompressionLevel.NoCompression)],
        ["big-endian"] = [("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("a/data/0", new byte[8], CompressionLevel.NoCompression), ("a/byteorder", "big"u8.ToArray(), CompressionLevel.NoCompression)],
    };

    private static byte[] Sound => TensorOf([.. Storage("0", 2)], 0, 2, 1);

    public static TheoryData<string> Headers => [.. s_headers.Keys];

    public static TheoryData<string> Pickles => [.. s_pickles.Keys];

    public static TheoryData<string> Archives => [.. s_archives.Keys];

    [Theory]
    [MemberData(nameof(Headers))]
    public void BadSafetensorsAreRefused(string what) => AssertRefused("bad.safetensors", s_headers[what]);

    [Theory]
    [MemberData(nameof(Pickles))]
    public void BadPicklesAreRefused(string what) => AssertRefused("bad.pt", Zip([("a/data.pkl", Pickle(s_pickles[what]), CompressionLevel.NoCompression), ("a/data/0", new byte[8], CompressionLevel.NoCompression)]));

    [Theory]
    [MemberData(nameof(Archives))]
    public void BadArchivesAreRefused(string what) => AssertRefused("bad.pt", Zip(s_archives[what]));

    [Fact]
    public void TheSoundFilesBesideThemAreRead()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllBytes(folder.File("a.pt"), Zip([("a/data.pkl", Pickle(Sound), CompressionLevel.NoCompression), ("a/data/0", new byte[8], CompressionLevel.NoCompression)]));
        File.WriteAllBytes(folder.File("a.safetensors"), Safetensors(Tensor("a", "F32", "[2]", 0, 8), 8));
        using var pickle = Checkpoint.Open(folder.File("a.pt"));
        using var safetensors = Checkpoint.Open(folder.File("a.safetensors"));
        Assert.Equal([2L], pickle.Tensors["a"].Shape);
        Assert.Equal([2L], safetensors.Tensors["a"].Shape);
    }

    [Theory]
    [InlineData("{\"weight_map\":{\"a\":\"../other.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"/etc/passwd\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"..\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"missing.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"model.safetensors.index.json\"}}")]
    [InlineData("{\"weight_map\":{\"a\":1}}")]
    [InlineData("{\"weight_map\":[]}")]
    [InlineData("{}")]
    [InlineData("{")]
    public void BadIndexesAreRefused(string json) => AssertRefused("model.safetensors.index.json", Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData("a.txt", "not a checkpoint")]
    [InlineData("a.bin", "")]
    public void WhatIsNoCheckpointIsRefused(string name, string text) => AssertRefused(name, Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("zip.pt")]
    [InlineData("legacy.pt")]
    [InlineData("training.ckpt")]
    [InlineData("nested.pt")]
    [InlineData("small.safetensors")]
    public void DamagedFilesThrowNothingElse(string name)
    {
        var sound = name == "small.safetensors"
            ? Safetensors("{" + Tensor("a.weight", "F32", "[2,3]", 0, 24)[1..^1] + "," + Tensor("b", "BF16", "[4]", 24, 32)[1..], 32)
            : File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Checkpoints", name));
        using var folder = TestFolders.Temporary();
        var path = folder.File(name);
        var random = new Random(1);

        for (var i = 0; i < 400; i++)
        {
            var damaged = sound.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, i % 4 == 0 ? damaged[..random.Next(damaged.Length)] : damaged);
            try
            {
                using var checkpoint = Checkpoint.Open(path);
                foreach (var tensor in checkpoint.Tensors.Keys)
                    checkpoint.Read(tensor).Dispose();
            }
            catch (CheckpointException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"Damage {i} gives {e}");
            }
        }
    }

    private static void AssertRefused(string name, byte[] bytes)
    {
        using var folder = TestFolders.Temporary();
        var path = folder.File(name);
        File.WriteAllBytes(path, bytes);

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var exception = Assert.Throws<CheckpointException>(() => Checkpoint.Open(path));

        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        Assert.True(exception.Message.Length < 5000, exception.Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < (32 << 20) + (10L * bytes.Length), "too much was allocated");
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"took {clock.Elapsed}");
    }

    private static byte[] Length(ulong length)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        return bytes;
    }

    private static byte[] Safetensors(string header, int data = 0) => [.. Length((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[data]];

    private static string Tensor(string name, string type, string shape, long start, long end) =>
        $"{{\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}}}";

    private static byte[] Zip((string Name, byte[] Bytes, CompressionLevel Level)[] entries)
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes, level) in entries)
            {
                using var stream = archive.CreateEntry(name, level).Open();
                stream.Write(bytes);
            }
        }
        return buffer.ToArray();
    }

    private static byte[] Pickle(byte[] body) => [0x80, 2, .. body, (byte)'.'];

    private static byte[] Text(string text) => [(byte)'X', (byte)text.Length, 0, 0, 0, .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Global(string module, string name) => [(byte)'c', .. Encoding.ASCII.GetBytes($"{module}\n{name}\n")];

    private static byte[] Number(long number)
    {
        var bytes = new byte[10];
        bytes[0] = 0x8a;
        bytes[1] = 8;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(2), number);
        return bytes;
    }

    /// <summary>The persistent id of a storage, loaded.</summary>
    private static byte[] Storage(string key, long count) =>
        [(byte)'(', .. Text("storage"), .. Global("torch", "FloatStorage"), .. Text(key), .. Text("cpu"), .. Number(count), (byte)'t', (byte)'Q'];

    /// <summary>{'a': a tensor with one dimension}.</summary>
    private static byte[] TensorOf(byte[] storage, long offset, long size, long stride) =>
    [
        (byte)'}', .. Text("a"), .. Global("torch._utils", "_rebuild_tensor_v2"),
        (byte)'(', .. storage, .. Number(offset), .. Number(size), 0x85, .. Number(stride), 0x85, 0x89, (byte)'N', (byte)'t', (byte)'R', (byte)'s',
    ];

    /// <summary>A hundred tensors of 64 MB each, of two numbers.</summary>
    private static byte[] Repeated() =>
    [
        (byte)'}', .. Storage("0", 2), (byte)'q', 0, (byte)'0',
        .. Enumerable.Range(0, 100).SelectMany(i => (byte[])
        [
            .. Text($"t{i}"), .. Global("torch._utils", "_rebuild_tensor_v2"),
            (byte)'(', (byte)'h', 0, .. Number(0), .. Number(16 << 20), 0x85, .. Number(0), 0x85, 0x89, (byte)'N', (byte)'t', (byte)'R', (byte)'s',
        ]),
    ];

    /// <summary>{a text of 100 kB: {0: 0, 1: 0, ...}}: 100 kB for the name of each entry.</summary>
    private static byte[] LongNames() =>
    [
        (byte)'}', (byte)'X', .. BitConverter.GetBytes(100_000), .. Enumerable.Repeat((byte)'a', 100_000),
        (byte)'}', (byte)'(', .. Enumerable.Range(0, 20_000).SelectMany(i => (byte[])[(byte)'M', (byte)i, (byte)(i >> 8), (byte)'K', 0]), (byte)'u', (byte)'s',
    ];

    /// <summary>A dictionary that holds one dictionary ten times, which holds another ten times, and so on.</summary>
    private static byte[] Laughs()
    {
        var bytes = new List<byte> { (byte)'}', (byte)'q', 0 };
        for (byte level = 1; level <= 12; level++)
        {
            bytes.Add((byte)'}');
            for (byte i = 0; i < 10; i++)
                bytes.AddRange([.. Text($"k{i}"), (byte)'h', (byte)(level - 1), (byte)'s']);
            bytes.AddRange([(byte)'q', level]);
        }
        return [(byte)'}', .. Text("each"), (byte)'(', .. bytes, (byte)'t', (byte)'s', .. Text("all"), (byte)'h', 12, (byte)'s'];
    }
}
