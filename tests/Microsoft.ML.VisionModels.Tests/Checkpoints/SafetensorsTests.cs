using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class SafetensorsTests
{
    public static TheoryData<ScalarType> Types =>
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16,
        ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryTypeComesBack(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var value = tensor(Enumerable.Range(0, 24).Select(i => i % 5.0).ToArray()).reshape(2, 3, 4).to(type);
        var scalar = ones([], type);
        var empty = zeros([0, 7], type);

        SafetensorsWriter.Write(folder.File("a.safetensors"), [("x.value", value), ("scalar", scalar), ("none", empty)]);

        using var file = Checkpoint.Open(folder.File("a.safetensors"));
        Assert.Equal(["none", "scalar", "x.value"], file.Tensors.Keys.Order());
        foreach (var (name, expected) in new[] { ("x.value", value), ("scalar", scalar), ("none", empty) })
        {
            var read = file.Read(name);
            Assert.Equal(type, read.dtype);
            Assert.Equal(expected.shape, read.shape);
            Assert.True(read.equal(expected).all().item<bool>() || expected.NumberOfElements == 0);
        }
    }

    [Fact]
    public void CopiesIntoViewsAndConverts()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var value = TensorArithmetic.Arange(6).to(float32).reshape(2, 3);
        SafetensorsWriter.Write(folder.File("a.safetensors"), [("value", value)]);
        using var file = Checkpoint.Open(folder.File("a.safetensors"));

        var rows = zeros(4, 3, dtype: float64);
        file.CopyTo("value", rows.narrow(0, 1, 2));
        Assert.Equal([0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0], rows.data<double>().ToArray());

        var transposed = zeros(3, 2);
        file.CopyTo("value", transposed.t());
        Assert.Equal([0, 3, 1, 4, 2, 5], transposed.data<float>().ToArray());
    }

    [Fact]
    public void ATensorsDescriptionHasWhatAReaderLooksFor() =>
        Assert.Equal("cls_token Float32 [1, 1, 192]", new TensorInfo("cls_token", ScalarType.Float32, [1, 1, 192]).ToString());
}
