using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A file of tensors in memory. What is read is mapped only meanwhile, so that loading takes no more memory than the network and its largest tensor.</summary>
/// <param name="file">Becomes the map's to close.</param>
internal sealed class MappedFile(FileStream file) : IDisposable
{
    private readonly MemoryMappedFile _map =
        MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);

    /// <summary>Fills a tensor with elements that are known to lie in the file.</summary>
    public void Read(long start, ScalarType type, Tensor target)
    {
        var length = target.NumberOfElements * type.Size();
        using var view = _map.CreateViewAccessor(start, length, MemoryMappedFileAccess.Read);
        // Not CreateViewStream: that copies every byte twice when it is read into a span.
        using var bytes = new UnmanagedMemoryStream(view.SafeMemoryMappedViewHandle, view.PointerOffset, length, FileAccess.Read);
        TensorBytes.Read(bytes, type, target);
    }

    public void Dispose() => _map.Dispose();
}
