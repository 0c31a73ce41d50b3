using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

[Trait("Family", "Sam")]
public class TinyVitEncoderTests
{
    // Grids of 10 x 8, 5 x 4 and again 5 x 4 in windows of 3 and 2: some are full, others padded.
    internal static readonly TinyVitConfig Tiny = new()
    {
        ImageSize = new(40, 32), Widths = [16, 16, 24, 32], Depths = [1, 1, 2, 1], Heads = [1, 2, 3, 4], Windows = [3, 3, 2, 3], MlpRatio = 2, ExpandRatio = 2, OutputChannels = 16,
    };

    [Fact]
    public void EveryParameterLearns()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        using var encoder = new TinyVitEncoder(Tiny).Initialize(generator);
        var embedding = encoder.forward(randn(2, 3, 40, 32, generator: generator));
        (embedding * randn(embedding.shape, generator: generator)).sum().backward();
        foreach (var (name, parameter) in encoder.named_parameters())
            Assert.True(parameter.grad is { } gradient && gradient.count_nonzero().item<long>() > 0 && gradient.isfinite().all().item<bool>(), name);
    }

    [Fact]
    public void TheDefaultIsTinyViT5MWithSamsNeck()
    {
        using var encoder = new TinyVitEncoder(new());
        Assert.Equal(16, encoder.Config.Stride);
        Assert.Equal(new(64, 64), encoder.Config.Grid);
        var count = encoder.named_parameters().ToLookup(parameter => parameter.name.StartsWith("neck.", StringComparison.Ordinal), parameter => parameter.parameter.numel());
        Assert.Equal(256 * 320 + 256 * 256 * 9 + 4 * 256, count[true].Sum());
        // TinyViT-5M has 5,392,764: also a head for 1,000 classes with its norm, and a factor for each channel of a batch norm.
        Assert.Equal(5_392_764 - 1000 * (320 + 1) - 2 * 320 - 4_928, count[false].Sum());
    }

    [Theory]
    [InlineData(40, 32)]
    [InlineData(33, 47)]
    [InlineData(1, 1)]
    public void TheGridIsASixteenthOfTheImage(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Evaluated();
        var embedding = encoder.forward(randn(2, 3, height, width, generator: new Generator(2)));
        Assert.Equal([2, 16, (height + 15) / 16, (width + 15) / 16], embedding.shape);
        var grid = (Tiny with { ImageSize = new(height, width) }).Grid;
        Assert.Equal((grid.Height, grid.Width), (embedding.shape[2], embedding.shape[3]));
        Assert.True(embedding.isfinite().all().item<bool>());
    }

    [Fact]
    public void ImagesOfABatchDoNotSeeEachOtherAndTheFusedKernelEqualsTheProbabilities()
    {
        using var scope = NewDisposeScope();
        using var encoder = Evaluated();
        var pixels = randn(2, 3, 40, 32, generator: new Generator(2));
        var together = encoder.forward(pixels);         // with gradients: by plain products
        using var inference = inference_mode();
        TensorAssert.Close(together, cat([encoder.forward(pixels[..1]), encoder.forward(pixels[1..])]), 1e-5);
    }

    [Fact]
    public void BiasesAreByDistanceInTheOrderInWhichTheAuthorsMeetThem()
    {
        const int Window = 3;
        using var scope = NewDisposeScope();
        using var bias = new TinyVitPositionBias(Window, heads: 2);
        Initialization.Normal(bias.get_parameter("table")!, 1, new Generator(1));

        var places = (from y in Enumerable.Range(0, Window) from x in Enumerable.Range(0, Window) select (Y: y, X: x)).ToArray();
        var met = new List<(int Down, int Across)>();
        var rows = new List<long>();
        foreach (var (one, other) in from one in places from other in places select (one, other))
        {
            var offset = (Math.Abs(one.Y - other.Y), Math.Abs(one.X - other.X));
            if (!met.Contains(offset))
                met.Add(offset);
            rows.Add(met.IndexOf(offset));
        }
        TensorAssert.Close(bias.get_parameter("table")!.index_select(1, tensor(rows.ToArray())).view(1, 2, 9, 9), bias.forward());
    }

    [Fact]
    public void WindowsAreFilledUpBeforeTheNorm()
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var config = new TransformerConfig { Width = 8, Depth = 1, Heads = 2, MlpWidth = 8 };
        using var block = new TinyVitBlock(config, window: 3);
        foreach (var (_, parameter) in block.named_parameters())
            Initialization.Normal(parameter, 1, new Generator(1));
        // The convolution alone would see beyond the image: it lets everything through here.
        Initialization.Zero(block.get_parameter("local_conv.weight"));
        block.get_parameter("local_conv.weight")!.narrow(2, 1, 1).narrow(3, 1, 1).copy_(ones(1));

        var x = randn(2, 8, 2, 4, generator: new Generator(2));
        var padded = nn.functional.pad(x, [0, 2, 0, 1]);            // [2, 8, 3, 6]
        TensorAssert.Close(block.forward(padded).narrow(2, 0, 2).narrow(3, 0, 4), block.forward(x), 1e-5);
    }

    [Fact]
    public void MovesToBFloat16()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Evaluated();
        var pixels = randn(2, 3, 40, 32, generator: new Generator(2));
        var expected = encoder.forward(pixels);
        encoder.to(ScalarType.BFloat16);
        var actual = encoder.forward(pixels.to(ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        TensorAssert.Close(expected, actual, 0.1);
    }

    [Fact]
    public void ForwardLeavesNothingBehindButItsResult()
    {
        using var encoder = Evaluated();
        using var pixels = zeros(1, 3, 40, 32);
        using var scope = NewDisposeScope();
        using var embedding = encoder.forward(pixels);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void ImpossibleNumbersAreErrors()
    {
        Assert.Contains("stage 3", Error(Tiny with { Heads = [1, 2, 5, 4] }));
        Assert.Contains("not 1 in all", Error(Tiny with { Depths = [2] }));
        Assert.Contains("widths, not 3", Error(Tiny with { Widths = [16, 16, 24] }));
        Assert.Contains("window sizes, not 1", Error(Tiny with { Windows = [7] }));
        Assert.Contains("depth", Error(Tiny with { Depths = [1, 1, 0, 1] }));
        Assert.Contains("even", Error(Tiny with { Widths = [15, 16, 24, 32] }));
        Assert.Contains("MLP ratio", Error(Tiny with { MlpRatio = 0.01 }));
        Assert.Contains("expanded width", Error(Tiny with { ExpandRatio = 0 }));
        using var encoder = Evaluated();
        using var pixels = zeros(1, 4, 40, 32);
        Assert.Contains("[1, 4, 40, 32]", Assert.Throws<ArgumentException>(() => encoder.forward(pixels)).Message);

        static string Error(TinyVitConfig config) => Assert.Throws<ArgumentException>(() => new TinyVitEncoder(config)).Message;
    }

    private static TinyVitEncoder Evaluated()
    {
        using var generator = new Generator(3);
        var encoder = new TinyVitEncoder(Tiny).Initialize(generator);
        foreach (var (name, table) in encoder.named_parameters().Where(parameter => parameter.name.EndsWith(".table", StringComparison.Ordinal)))
            Initialization.Normal(table, 1, generator);
        encoder.eval();
        return encoder;
    }
}
