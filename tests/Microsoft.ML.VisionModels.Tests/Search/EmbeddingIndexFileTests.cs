using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Search;

public class EmbeddingIndexFileTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(512)]
    public void ASavedIndexComesBack(int dimensions)
    {
        using var folder = TestFolders.Temporary();
        var vectors = RandomVectors.Make(300, dimensions);
        var index = RandomVectors.Index(vectors);
        index.Add("Bücher/猫 🐈.jpg", vectors[0]);
        File.WriteAllText(folder.File("index.safetensors"), "is overwritten");

        index.Save(folder.File("index.safetensors"));
        var loaded = EmbeddingIndex.Load(folder.File("index.safetensors"));

        Assert.Equal(["index.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Equal((301, dimensions), (loaded.Count, loaded.Dimensions));
        Assert.Equal(index.Ids, loaded.Ids);
        Assert.All(index.Ids, id => Assert.Equal(index.GetVector(id), loaded.GetVector(id)));
        Assert.Equal(index.Search(vectors[7], top: 301), loaded.Search(vectors[7], top: 301));

        loaded.Add("one more", vectors[1]);
        Assert.Throws<ArgumentException>(() => loaded.Add("0", vectors[1]));
        loaded.Save(folder.File("more.safetensors"));
        Assert.Equal(302, EmbeddingIndex.Load(folder.File("more.safetensors")).Count);
    }

    [Fact]
    public void AnEmptyIndexComesBack()
    {
        using var folder = TestFolders.Temporary();
        new EmbeddingIndex(7).Save(folder.File("index.safetensors"));
        var loaded = EmbeddingIndex.Load(folder.File("index.safetensors"));
        Assert.Equal((0, 7), (loaded.Count, loaded.Dimensions));
    }

    [Fact]
    public void AFewLongVectorsTakeLittleMoreThanTheyHave()
    {
        using var folder = TestFolders.Temporary();
        var vector = new float[EmbeddingIndex.MaxDimensions];
        vector[7] = 1;
        var index = new EmbeddingIndex(vector.Length);
        index.Add("a", vector);
        index.Save(folder.File("index.safetensors"));

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(vector, EmbeddingIndex.Load(folder.File("index.safetensors")).GetVector("a"));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 100 << 20, "too much was allocated");
    }

    [Fact]
    public void OthersCanReadTheFile()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var index = new EmbeddingIndex(3);
        index.Add("é", [0, 3, 4]);
        index.Add("b", [1, 0, 0]);
        index.Save(folder.File("index.safetensors"));

        using var file = Checkpoint.Open(folder.File("index.safetensors"));

        var vectors = file.Read("vectors");
        Assert.Equal([2, 3], vectors.shape);
        Assert.Equal([0, 0.6f, 0.8f, 1, 0, 0], vectors.data<float>().ToArray());
        Assert.Equal("éb", Encoding.UTF8.GetString(file.Read("ids").data<byte>().ToArray()));
        Assert.Equal([2L, 3], file.Read("id_ends").data<long>().ToArray());
    }

    [Fact]
    public void AFileThatEndsEarlyIsRefused()
    {
        using var folder = TestFolders.Temporary();
        RandomVectors.Index(RandomVectors.Make(5, 4)).Save(folder.File("whole"));
        var bytes = File.ReadAllBytes(folder.File("whole"));
        for (var length = 0; length < bytes.Length; length += 3)
        {
            File.WriteAllBytes(folder.File("part"), bytes[..length]);
            Refused(folder.File("part"), "");
        }
    }

    [Fact]
    public void OfAForeignFileSomeTensorsAreNamed()
    {
        using var folder = TestFolders.Temporary();
        SafetensorsWriter.Write(folder.File("network"), [.. Enumerable.Range(0, 100).Select(i => ($"block{i:00}", zeros(1)))]);
        var message = Assert.Throws<CheckpointException>(() => EmbeddingIndex.Load(folder.File("network"))).Message;
        Assert.Contains("block04", message);
        Assert.DoesNotContain("block05", message);
    }

    [Fact]
    public void AFileThatIsNotThereIsSaidSo()
    {
        using var folder = TestFolders.Temporary();
        Assert.Throws<FileNotFoundException>(() => EmbeddingIndex.Load(folder.File("none.safetensors")));
    }

    private static readonly Dictionary<string, (string Said, Func<(string, Tensor)[]> Tensors)> Damages = new()
    {
        ["another model's file"] = ("weight", () => [("weight", ones(2, 3))]),
        ["no ids"] = ("'ids'", () => [("vectors", Unit(2, 3)), ("id_ends", Ends(1, 2))]),
        ["vectors of another type"] = ("'vectors'", () => Saved(Unit(2, 3).to(ScalarType.Float64), "ab", 1, 2)),
        ["vectors of another rank"] = ("'vectors'", () => Saved(Unit(2, 3).view(2, 3, 1), "ab", 1, 2)),
        ["no dimensions"] = ("[2, 0]", () => Saved(zeros(2, 0), "ab", 1, 2)),
        ["more dimensions than an index has"] = ("1048577", () => Saved(zeros(0, (1 << 20) + 1), "")),
        ["fewer ids than vectors"] = ("as many ids", () => Saved(Unit(2, 3), "a", 1)),
        ["more ids than vectors"] = ("as many ids", () => Saved(Unit(2, 3), "abc", 1, 2, 3)),
        ["an id that ends before it starts"] = ("id 1 ", () => Saved(Unit(2, 3), "ab", 2, 1)),
        ["an id that starts before the first"] = ("id 0 ", () => Saved(Unit(2, 3), "ab", -1, 2)),
        ["an id that ends too late"] = ("id 1 ", () => Saved(Unit(2, 3), "ab", 1, 3)),
        ["ids that end too early"] = ("byte 2 of 3", () => Saved(Unit(2, 3), "abc", 1, 2)),
        ["an id twice"] = ("'a'", () => Saved(Unit(2, 3), "aa", 1, 2)),
        ["an empty id"] = ("id 1 ", () => Saved(Unit(2, 3), "a", 1, 1)),
        ["an id that is no UTF-8"] = ("id 0 ", () => Saved(Unit(2, 3), "éa", 1, 3)),
        ["a vector of another length"] = ("vector 0 ", () => Saved(Unit(2, 3).Mul(2), "ab", 1, 2)),
        ["a vector that is no number"] = ("vector 0 ", () => Saved(Unit(2, 3).Mul(double.NaN), "ab", 1, 2)),
    };

    public static TheoryData<string> DamageNames => [.. Damages.Keys];

    [Theory]
    [MemberData(nameof(DamageNames))]
    public void DamagedAndForeignFilesAreRefused(string damage)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var (said, tensors) = Damages[damage];
        SafetensorsWriter.Write(folder.File("damaged"), tensors());
        Refused(folder.File("damaged"), said);

        // Whole, so that the damage is what was refused.
        SafetensorsWriter.Write(folder.File("whole"), Saved(Unit(2, 3), "ab", 1, 2));
        Assert.Equal(["a", "b"], EmbeddingIndex.Load(folder.File("whole")).Ids);
    }

    private static void Refused(string path, string said)
    {
        var message = Assert.Throws<CheckpointException>(() => EmbeddingIndex.Load(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(said, message);
    }

    private static Tensor Unit(int rows, int dimensions) => nn.functional.normalize(ones(rows, dimensions));

    private static Tensor Ends(params long[] ends) => tensor(ends);

    private static (string, Tensor)[] Saved(Tensor vectors, string ids, params long[] ends) =>
        [("vectors", vectors), ("ids", tensor(Encoding.UTF8.GetBytes(ids))), ("id_ends", Ends(ends))];
}
