using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class TensorInfoTests
{
    [Fact]
    public void Prints_what_a_reader_looks_for() =>
        Assert.Equal("cls_token Float32 [1, 1, 192]", new TensorInfo("cls_token", torch.ScalarType.Float32, [1, 1, 192]).ToString());
}
