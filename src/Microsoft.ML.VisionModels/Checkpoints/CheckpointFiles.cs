namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Finds out what kind of checkpoint a path is.</summary>
internal static class CheckpointFiles
{
    // In the order in which Hugging Face's own loaders look.
    private static readonly string[] s_folderFiles =
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.bin",
    ];

    public static Checkpoint Open(string path)
    {
        if (Directory.Exists(path))
        {
            var file = s_folderFiles.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists)
                ?? throw new FileNotFoundException($"The folder {path} holds no weights: none of {string.Join(", ", s_folderFiles)} is there.", path);
            return Open(file);
        }
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no checkpoint '{path}': no file or folder {Path.GetFullPath(path)}. Published weights are read from disk, never downloaded.", path);

        if (path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase))
            return new ShardedCheckpoint(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return new SafetensorsCheckpoint(path);

        // PyTorch's formats share their endings.
        Span<byte> start = stackalloc byte[4];
        using (var file = File.OpenRead(path))
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (start.StartsWith("PK\x03\x04"u8))
            return new TorchZipCheckpoint(path);
        if (start is [0x80, 2, ..])
            return new TorchLegacyCheckpoint(path);
        throw new CheckpointException($"{path}: this is neither safetensors (by its name) nor what torch.save writes (by its first bytes).");
    }
}
