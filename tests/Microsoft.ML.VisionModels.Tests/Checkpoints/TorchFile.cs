using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Writes what <c>torch.save</c> writes for dictionaries of tensors (float32), of texts and of dictionaries.</summary>
internal static class TorchFile
{
    public static void Write(string path, IReadOnlyDictionary<string, object> root)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        var storages = new List<byte[]>();
        Add("archive/data.pkl", [0x80, 2, .. Pickled(root, storages), (byte)'.']);
        for (var i = 0; i < storages.Count; i++)
            Add($"archive/data/{i}", storages[i]);

        void Add(string name, byte[] bytes)
        {
            using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            entry.Write(bytes);
        }
    }

    private static byte[] Pickled(object value, List<byte[]> storages) => value switch
    {
        IReadOnlyDictionary<string, object> dictionary => [(byte)'}', (byte)'(', .. dictionary.SelectMany(entry => (byte[])[.. Pickled(entry.Key, storages), .. Pickled(entry.Value, storages)]), (byte)'u'],
        string text => [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)],
        int number => [(byte)'J', .. BitConverter.GetBytes(number)],
        Tensor tensor => Rebuilt(tensor, storages),
        _ => throw new ArgumentException($"{value.GetType()} is not written.", nameof(value)),
    };

    private static byte[] Rebuilt(Tensor tensor, List<byte[]> storages)
    {
        using var scope = NewDisposeScope();
        var whole = tensor.detach().contiguous();
        storages.Add(whole.bytes.ToArray());
        return
        [
            .. Global("torch._utils", "_rebuild_tensor_v2"), (byte)'(',
            (byte)'(', .. Pickled("storage", storages), .. Global("torch", "FloatStorage"), .. Pickled($"{storages.Count - 1}", storages), .. Pickled("cpu", storages), .. Pickled((int)whole.numel(), storages), (byte)'t', (byte)'Q',
            .. Pickled(0, storages), .. Tuple(whole.shape), .. Tuple(whole.stride()), 0x89, .. Global("collections", "OrderedDict"), (byte)')', (byte)'R', (byte)'t', (byte)'R',
        ];
    }

    private static byte[] Tuple(long[] numbers) => [(byte)'(', .. numbers.SelectMany(number => (byte[])[(byte)'J', .. BitConverter.GetBytes((int)number)]), (byte)'t'];

    private static byte[] Global(string module, string name) => [(byte)'c', .. Encoding.ASCII.GetBytes($"{module}\n{name}\n")];
}
