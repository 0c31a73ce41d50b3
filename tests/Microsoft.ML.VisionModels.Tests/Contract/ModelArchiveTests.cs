using System.IO.Compression;
using System.Reflection;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Entries of model files that are longer than they can be, damaged, or models within models without end.</summary>
public class ModelArchiveTests
{
    private const string Root = "TransformerChain/";

    private static string Frozen(string kind) => Path.Combine(AppContext.BaseDirectory, "Models", kind + ".zip");

    [Theory]
    [InlineData("vit-classifier", "Config.json", 0)]
    [InlineData("vit-classifier", "Config.json", 1)]
    [InlineData("vit-classifier", "Labels.json", 0)]
    [InlineData("vit-classifier", "Labels.json", 1)]
    public void ATextEntryHasALimit(string kind, string entry, int more)
    {
        using var folder = TestFolders.Temporary();
        var path = Write(folder, Frozen(kind), (name, bytes) => name == Root + entry ? [.. bytes, .. Spaces(Limits.TextBytes + more - bytes.Length)] : bytes);
        var error = Record.Exception(() => Load(path));
        Assert.Equal(more == 0 ? null : typeof(FormatException), error?.GetType());
    }

    [Fact]
    public void WhatUnpacksToFarMoreIsRefusedBeforeItIsUnpacked()
    {
        using var folder = TestFolders.Temporary();
        var path = Write(folder, Frozen("vit-classifier"), (name, bytes) => name == Root + "Config.json" ? [.. bytes, .. Spaces(400 << 20)] : bytes);
        Assert.True(new FileInfo(path).Length < 4 << 20);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Contains("Config.json", Assert.Throws<FormatException>(() => Load(path)).Message, StringComparison.Ordinal);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - allocated < 16 << 20, "too much was allocated");
    }

    public static TheoryData<string, string> Kinds => new(
        from kind in new[] { "vit-classifier", "clip", "sam-masks" }
        from stored in new[] { "stored", "packed" }
        select (kind, stored));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AnotherChecksumIsNoticedInEveryEntry(string kind, string how)
    {
        using var folder = TestFolders.Temporary();
        var sound = File.ReadAllBytes(Write(folder, Frozen(kind), (_, bytes) => bytes, how == "stored" ? CompressionLevel.NoCompression : CompressionLevel.Optimal));
        var entries = new ZipArchive(new MemoryStream(sound)).Entries.Where(entry => entry.FullName.StartsWith(Root, StringComparison.Ordinal) && !entry.FullName.EndsWith("Model.key", StringComparison.Ordinal)).ToArray();
        Assert.True(entries.Length >= 5);
        foreach (var entry in entries)
        {
            var bytes = sound.ToArray();
            // In the central directory, which is the end of the file, 30 bytes lie between an entry's checksum and its name.
            bytes[bytes.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(entry.FullName)) - 30] ^= 1;
            File.WriteAllBytes(folder.File("changed.zip"), bytes);
            Assert.IsType<FormatException>(Record.Exception(() => Load(folder.File("changed.zip"))));
        }
    }

    [Fact]
    public void AStoredNumberThatChangedIsNotTakenForWhatWasLearned()
    {
        using var folder = TestFolders.Temporary();
        var path = Write(folder, Frozen("vit-classifier"), (_, bytes) => bytes, CompressionLevel.NoCompression);
        var bytes = File.ReadAllBytes(path);
        using var frozen = ZipFile.OpenRead(Frozen("vit-classifier"));
        var weights = Read(frozen.GetEntry(Root + "Weights.safetensors")!);
        bytes[bytes.AsSpan().IndexOf(weights.AsSpan(weights.Length - 64)) + 10] ^= 0x40;
        File.WriteAllBytes(path, bytes);
        Assert.Contains("checksum", Assert.Throws<FormatException>(() => Load(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Limits.NestedModels)]
    [InlineData(Limits.NestedModels + 1)]
    public void ModelsWithinModelsHaveALimit(int depth)
    {
        using var folder = TestFolders.Temporary();
        using var source = ZipFile.OpenRead(Frozen("vit-classifier"));
        using (var target = ZipFile.Open(folder.File("model.zip"), ZipArchiveMode.Create))
        {
            foreach (var entry in source.Entries.Where(entry => !entry.FullName.StartsWith(Root, StringComparison.Ordinal)))
                Add(target, entry.FullName, Read(entry));
            for (var level = 0; level <= depth; level++)
            {
                foreach (var entry in source.Entries.Where(entry => entry.FullName.StartsWith(Root, StringComparison.Ordinal)))
                {
                    var name = Root + string.Concat(Enumerable.Repeat("Inner/", level)) + entry.Name;
                    var bytes = Read(entry);
                    if (entry.Name == "Model.json" && level < depth)
                        bytes = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("\"Parts\":[", "\"Parts\":[\"Inner\",", StringComparison.Ordinal));
                    Add(target, name, bytes);
                }
            }
        }
        var error = Record.Exception(() => Load(folder.File("model.zip")));
        Assert.Equal(depth <= Limits.NestedModels ? null : typeof(FormatException), error?.GetType());
    }

    /// <summary>Loads a model; what ML.NET wraps, as it calls the loader by reflection, is unwrapped.</summary>
    private static void Load(string path)
    {
        try
        {
            ((IDisposable)new MLContext().Model.Load(path, out _)).Dispose();
        }
        catch (TargetInvocationException e)
        {
            Exception inner = e;
            while (inner is TargetInvocationException { InnerException: { } next })
                inner = next;
            throw inner;
        }
    }

    private static string Write(TestFolders.TemporaryFolder folder, string from, Func<string, byte[], byte[]> change, CompressionLevel level = CompressionLevel.Fastest)
    {
        var path = folder.File("model.zip");
        File.Delete(path);
        using var source = ZipFile.OpenRead(from);
        using var target = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var entry in source.Entries)
            Add(target, entry.FullName, change(entry.FullName, Read(entry)), level);
        return path;
    }

    private static void Add(ZipArchive archive, string name, byte[] bytes, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var stream = archive.CreateEntry(name, level).Open();
        stream.Write(bytes);
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static byte[] Spaces(int count)
    {
        var spaces = new byte[count];
        spaces.AsSpan().Fill((byte)' ');
        return spaces;
    }
}
