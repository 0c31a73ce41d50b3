using System.Buffers.Binary;
using System.IO.Compression;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>A number that changed after it was written is not read as if it had been written so.</summary>
public class ChecksumTests
{
    [Theory]
    [InlineData("zip.pt")]
    [InlineData("nested.pt")]
    [InlineData("training.ckpt")]
    public void AChangedByteIsNoticed(string name)
    {
        // Of a training's checkpoint, the optimizer's storages are not read.
        var read = name == "zip.pt" ? "/data" : "/data.pkl";
        using var folder = TestFolders.Temporary();
        var sound = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Checkpoints", name));
        File.WriteAllBytes(folder.File(name), sound);
        ReadAll(folder.File(name));

        var entries = new ZipArchive(new MemoryStream(sound)).Entries.Where(entry => entry.Length > 0 && entry.FullName.Contains(read, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(entries);
        foreach (var entry in entries)
        {
            var bytes = sound.ToArray();
            bytes[StartOf(bytes, entry.FullName) + entry.Length - 1] ^= 0x40;
            File.WriteAllBytes(folder.File(name), bytes);
            Assert.Contains(name, Assert.Throws<CheckpointException>(() => ReadAll(folder.File(name))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TheChecksumIsThatOfTheWholeStorageWhicheverPartIsReadFirst()
    {
        using var folder = TestFolders.Temporary();
        var bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Checkpoints", "zip.pt"));
        File.WriteAllBytes(folder.File("zip.pt"), bytes);
        using var sound = Checkpoint.Open(folder.File("zip.pt"));
        foreach (var name in sound.Tensors.Keys.Reverse())
            sound.Read(name).Dispose();
        foreach (var name in sound.Tensors.Keys)
            sound.Read(name).Dispose();
    }

    [Fact]
    public void WherePyTorchLeftChecksumsOutThereIsNoneToCompare()
    {
        using var folder = TestFolders.Temporary();
        var bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Checkpoints", "zip.pt"));
        // The checksum stands at byte 16 of each entry of the central directory.
        for (var at = bytes.AsSpan().IndexOf("PK\x01\x02"u8); at >= 0;)
        {
            bytes.AsSpan(at + 16, 4).Clear();
            var next = bytes.AsSpan(at + 4).IndexOf("PK\x01\x02"u8);
            at = next < 0 ? -1 : at + 4 + next;
        }
        File.WriteAllBytes(folder.File("zip.pt"), bytes);
        ReadAll(folder.File("zip.pt"));
    }

    private static void ReadAll(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        foreach (var name in checkpoint.Tensors.Keys)
            checkpoint.Read(name).Dispose();
    }

    /// <summary>Where an entry's bytes begin: after its header of 30 bytes, its name and what the header calls extra.</summary>
    private static int StartOf(byte[] zip, string name)
    {
        for (var at = 0; ; at++)
        {
            at += zip.AsSpan(at).IndexOf("PK\x03\x04"u8);
            var (nameLength, extra) = (BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 26)), BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 28)));
            if (System.Text.Encoding.UTF8.GetString(zip, at + 30, nameLength) == name)
                return at + 30 + nameLength + extra;
        }
    }
}
