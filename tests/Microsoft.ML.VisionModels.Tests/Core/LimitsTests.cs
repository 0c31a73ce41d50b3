using System.Buffers.Binary;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Tests.Core;

/// <summary>Just inside a limit all is well; just outside it is the documented exception. Those of model files and of shards are tested with these.</summary>
public class LimitsTests
{
    [Fact]
    public void ThePageNamesEachWithItsNumber()
    {
        var page = File.ReadAllText(Path.Combine(TestFolders.Checkout, "docs", "limits.md"));
        var written = page.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..3])
            .ToDictionary(cells => cells[0].Trim('`'), cells => cells[1].Replace(",", "", StringComparison.Ordinal));
        var actual = typeof(Limits).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .ToDictionary(field => field.Name, field => Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)!);
        Assert.Equal(actual.OrderBy(entry => entry.Key, StringComparer.Ordinal), written.OrderBy(entry => entry.Key, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("config.json", Limits.TextBytes)]
    [InlineData("preprocessor_config.json", Limits.TextBytes)]
    [InlineData("tokenizer_config.json", Limits.TextBytes)]
    [InlineData("model.safetensors.index.json", Limits.TextBytes)]
    [InlineData("labels.txt", Limits.TextBytes)]
    [InlineData("vocab.json", Limits.VocabularyBytes)]
    [InlineData("tokenizer.json", Limits.VocabularyBytes)]
    [InlineData("a.jpg.masks.json", Limits.AnnotationBytes)]
    public void ATextHasItsLimit(string name, int limit)
    {
        var reader = FileReader.Of(name);
        using var folder = reader.Sound();
        using (var file = File.Open(folder.File(name), FileMode.Append))
        {
            var filler = new byte[limit - file.Length];
            filler.AsSpan().Fill((byte)' ');
            file.Write(filler);
        }
        reader.Read(folder.Path);

        using (var file = File.Open(folder.File(name), FileMode.Append))
            file.WriteByte((byte)' ');
        var error = Record.Exception(() => reader.Read(folder.Path));
        Assert.Equal(reader.Error, error?.GetType());
        Assert.Contains($"at most {limit}", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASentencePieceModelHasItsLimit()
    {
        using var folder = FileReader.Of("spiece.model").Sound();
        // A field that is passed over, and is as long as is left.
        using (var file = File.Open(folder.File("spiece.model"), FileMode.Append))
        {
            var length = Limits.VocabularyBytes - file.Length - 1 - 4;
            file.Write([15 << 3 | 2, (byte)(length | 0x80), (byte)(length >> 7 | 0x80), (byte)(length >> 14 | 0x80), (byte)(length >> 21)]);
            file.Write(new byte[length]);
        }
        SigLipTokenizer.Load(folder.Path);
        using (var file = File.Open(folder.File("spiece.model"), FileMode.Append))
            file.WriteByte(0);
        Assert.Throws<CheckpointException>(() => SigLipTokenizer.Load(folder.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AHeaderOfSafetensorsHasItsLimit(int more)
    {
        using var folder = TestFolders.Temporary();
        var length = Limits.SafetensorsHeaderBytes + more;
        var file = new byte[8 + length];
        BinaryPrimitives.WriteInt64LittleEndian(file, length);
        file.AsSpan(8).Fill((byte)' ');
        "{}"u8.CopyTo(file.AsSpan(8));
        File.WriteAllBytes(folder.File("a.safetensors"), file);
        AssertRefused(more > 0, folder.File("a.safetensors"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void TensorsHaveTheirLimit(int more)
    {
        using var folder = TestFolders.Temporary();
        var header = Encoding.ASCII.GetBytes($"{{{string.Join(',', Enumerable.Range(0, Limits.Tensors + more).Select(i => $"\"{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"))}}}");
        var file = new byte[8 + header.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        File.WriteAllBytes(folder.File("a.safetensors"), file);
        AssertRefused(more > 0, folder.File("a.safetensors"));
    }

    [Fact]
    public void APackedVocabularyHasTheLimitOfAnUnpackedOne()
    {
        using var folder = FileReader.Of("bpe_simple_vocab_16e6.txt.gz").Sound();
        using (var file = new System.IO.Compression.GZipStream(File.Create(folder.File("bpe_simple_vocab_16e6.txt.gz")), System.IO.Compression.CompressionLevel.Fastest))
        {
            for (var i = 0; i < 200; i++)
                file.Write(new byte[1 << 20]);
        }
        Assert.Throws<CheckpointException>(() => ClipTokenizer.Load(folder.Path));
    }

    private static void AssertRefused(bool refused, string path) =>
        Assert.Equal(refused ? typeof(CheckpointException) : null, Record.Exception(() => Checkpoint.Open(path).Dispose())?.GetType());
}
