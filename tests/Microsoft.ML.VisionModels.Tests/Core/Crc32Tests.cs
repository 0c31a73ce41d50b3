using System.IO.Compression;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Core;

public class Crc32Tests
{
    [Fact]
    public void TheChecksumIsThatOfZipWhateverTheParts()
    {
        var random = new Random(1);
        for (var length = 0; length < 70; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var crc = new Crc32();
            var cut = random.Next(length + 1);
            crc.Add(bytes.AsSpan(0, cut));
            crc.Add(bytes.AsSpan(cut));
            Assert.Equal(OfZip(bytes), crc.Value);
        }
    }

    private static uint OfZip(byte[] bytes)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = archive.CreateEntry("a").Open();
            entry.Write(bytes);
        }
        return new ZipArchive(file).Entries[0].Crc32;
    }
}
