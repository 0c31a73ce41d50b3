using System.IO.Compression;
using System.Text;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Files that PyTorch 1.13 wrote (tests/Checkpoints).</summary>
public class TorchFileTests
{
    [Theory]
    [InlineData("zip.pt")]
    [InlineData("legacy.pt")]
    public void ViewsAndTypesAreReadAsPyTorchMeansThem(string name)
    {
        using var scope = NewDisposeScope();
        using var file = Checkpoint.Open(File(name));

        Assert.Equal(17, file.Tensors.Count);
        var whole = TensorArithmetic.Arange(24).to(float32).reshape(4, 6);
        AssertEqual(whole, file.Read("plain.weight"));
        AssertEqual(whole.t(), file.Read("plain.transposed"));
        AssertEqual(TensorArithmetic.Arange(6).to(float32).Add(5), file.Read("plain.middle"));
        AssertEqual(tensor(new float[] { 6, 8, 10, 12, 14, 16 }).reshape(2, 3), file.Read("plain.strided"));
        AssertEqual(ones(3, 2).Mul(7), file.Read("plain.expanded"));
        AssertEqual(ones(2, 2).Mul(3), file.Read("plain.parameter"));
        AssertEqual(tensor(5L), file.Read("plain.scalar"));
        Assert.Equal([0, 3], file.Read("plain.empty").shape);
        foreach (var (word, type) in new[]
        {
            ("f64", float64), ("f16", float16), ("bf16", bfloat16), ("i64", int64), ("i32", int32), ("i16", int16), ("i8", int8), ("u8", uint8), ("bool", @bool),
        })
        {
            AssertEqual(tensor(new[] { 0, 1, 2, 3, 0, 1 }).to(type).reshape(2, 3), file.Read($"types.{word}"));
        }
    }

    [Fact]
    public void AViewIsCopiedIntoAViewOfAnotherType()
    {
        using var scope = NewDisposeScope();
        using var file = Checkpoint.Open(File("zip.pt"));
        var target = zeros(8, 4, dtype: float64);

        file.CopyTo("plain.transposed", target.narrow(0, 1, 6));

        AssertEqual(TensorArithmetic.Arange(24).to(float64).reshape(4, 6).t(), target.narrow(0, 1, 6));
        Assert.Equal(276, target.sum().item<double>());
    }

    [Fact]
    public void TheWeightsOfATrainingCheckpointAreTaken()
    {
        using var scope = NewDisposeScope();
        using var file = Checkpoint.Open(File("training.ckpt"));

        Assert.Equal(["weight", "bias"], file.Tensors.Keys);
        AssertEqual(TensorArithmetic.Arange(6).to(float32).reshape(2, 3), file.Read("weight"));
    }

    /// <summary>What training scripts leave beside the weights (extras.py beside the files), in every protocol and in the older form.</summary>
    [Theory]
    [InlineData("extras-2.pt")]
    [InlineData("extras-3.pt")]
    [InlineData("extras-4.pt")]
    [InlineData("extras-5.pt")]
    [InlineData("extras-legacy.pt")]
    public void WhatIsNoTensorIsPassedOver(string name)
    {
        using var scope = NewDisposeScope();
        using var file = Checkpoint.Open(File(name));

        Assert.Equal(["weight", "bias"], file.Tensors.Keys);
        AssertEqual(TensorArithmetic.Arange(6).to(float32).reshape(2, 3), file.Read("weight"));
        AssertEqual(tensor(new float[] { 9, 9 }), file.Read("bias"));
    }

    /// <summary>OpenAI's files of CLIP are such. Written here as PyTorch's pickler.cpp writes.</summary>
    [Fact]
    public void TheTensorsOfATorchScriptModuleAreNamedByItsParts()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var floats = "(" + Text("storage") + "ctorch\nFloatStorage\n" + Text("0") + Text("cpu") + "K\x06tQ";
        var matrix = "ctorch._utils\n_rebuild_tensor_v2\n(" + floats + "K\0(K\x02K\x03t(K\x03K\x01t\u0089ccollections\nOrderedDict\n)RtR";
        var clip = Module("CLIP", Text("training") + "\u0089" + Text("visual") + Module("Visual", Text("proj") + matrix));
        using (var zip = ZipFile.Open(folder.File("script.pt"), ZipArchiveMode.Create))
        {
            Add("script/data.pkl", Encoding.Latin1.GetBytes("\u0080\x02" + clip + "."));
            Add("script/data/0", [.. new float[] { 1, 2, 3, 4, 5, 6 }.SelectMany(BitConverter.GetBytes)]);
            Add("script/code/__torch__/clip.py", new byte[1000], CompressionLevel.Optimal);

            void Add(string name, byte[] bytes, CompressionLevel level = CompressionLevel.NoCompression)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }

        using var file = Checkpoint.Open(folder.File("script.pt"));

        Assert.Equal(["visual.proj"], file.Tensors.Keys);
        AssertEqual(TensorArithmetic.Arange(6).to(float32).Add(1).reshape(2, 3), file.Read("visual.proj"));

        static string Module(string name, string attributes) => $"c__torch__.clip.model\n{name}\n)\u0081}}({attributes}ub";

        static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";
    }

    [Fact]
    public void SeveralNetworksAreNamedByTheirKeys()
    {
        using var file = Checkpoint.Open(File("nested.pt"));

        Assert.Equal(["coarse.weight", "coarse.bias", "fine.layers.weight", "fine.layers.bias", "buffers.12345678901"], file.Tensors.Keys);
    }

    [Fact]
    public void AFolderOfShardsInBothFormatsIsOneCheckpoint()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        System.IO.File.Copy(File("training.ckpt"), folder.File("pytorch_model-1.bin"));
        System.IO.File.Copy(File("legacy.pt"), folder.File("pytorch_model-2.bin"));
        System.IO.File.WriteAllText(
            folder.File("pytorch_model.bin.index.json"),
            """{"weight_map": {"bias": "pytorch_model-1.bin", "plain.middle": "pytorch_model-2.bin"}}""");

        using var file = Checkpoint.Open(folder.Path);

        Assert.Equal(["bias", "plain.middle"], file.Tensors.Keys);
        AssertEqual(ones(2).Mul(9), file.Read("bias"));
        AssertEqual(TensorArithmetic.Arange(6).to(float32).Add(5), file.Read("plain.middle"));
    }

    [Theory]
    [Trait("Category", "RealData")]
    [Trait("Family", "Checkpoints")]
    [InlineData("ddpm-fashion", "network.time_embed.weight")]
    [InlineData("nerf-lego-pretrained", "model_fine_state_dict.layer1.weight")]
    [InlineData("taef2", "0.weight")]
    public void RealFilesAreRead(string folder, string tensor)
    {
        string[] paths = [.. Directory.GetFiles(TestFolders.Data(folder)).Where(path => Path.GetExtension(path) is ".pt" or ".pth" or ".ckpt")];
        var names = new HashSet<string>();
        foreach (var path in paths)
        {
            using var file = Checkpoint.Open(path);
            names.UnionWith(file.Tensors.Keys);
            long bytes = 0;
            foreach (var name in file.Tensors.Keys)
            {
                using var scope = NewDisposeScope();
                var value = file.Read(name);
                bytes += value.NumberOfElements * value.ElementSize;
                Assert.True(value.isfinite().all().item<bool>(), name);
            }
            Assert.Equal(StoredBytes(path) ?? bytes, bytes);
        }
        Assert.Contains(tensor, names);
    }

    /// <summary>The bytes of all storages of a zip file, which hold the weights and nothing else; null for PyTorch's older form.</summary>
    private static long? StoredBytes(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        if (stream.ReadByte() != 'P' || stream.ReadByte() != 'K')
            return null;
        using var zip = new ZipArchive(stream);
        return zip.Entries.Where(entry => entry.FullName.Contains("/data/")).Sum(entry => entry.Length);
    }

    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Checkpoints", name);

    private static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.equal(actual).all().item<bool>());
    }
}
