using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Imaging;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Clip;

/// <summary>Images as Hugging Face's processor and OpenAI's own code prepare them: they place an odd crop differently.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Clip")]
public partial class ClipPreprocessingGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("clip-preprocess");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsBothProcessors(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var huggingFace = ImagePreprocessing.FromHuggingFace(golden.ReadJson("preprocessor_config.json"));
        var images = golden.Tensors.Keys.Select(tensor => TensorName().Match(tensor)).Where(match => match.Success).ToArray();
        Assert.NotEmpty(images);
        foreach (var tensor in images)
        {
            var image = ImageDecoder.Decode(golden.File(tensor.Groups["image"].Value + ".png"));
            var settings = tensor.Groups["by"].Value == "hf" ? huggingFace : huggingFace with { TorchvisionCrop = true };
            golden.AssertClose(tensor.Value, new ImageProcessor(settings).ProcessBatch([image])[0]);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void ResizesToTheSameBytes(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var processor = ImagePreprocessing.FromHuggingFace(golden.ReadJson("preprocessor_config.json"));
        foreach (var tensor in golden.Tensors.Keys.Where(key => key.EndsWith(".resized_uint8", StringComparison.Ordinal)))
        {
            var image = ImageDecoder.Decode(golden.File(tensor.Replace(".resized_uint8", ".png", StringComparison.Ordinal)));
            var size = processor.ResizedSize(new(image.Height, image.Width));
            Assert.Equal([size.Height, size.Width, 3], golden.Tensors[tensor].Shape);
            Assert.Equal(golden.Expected(tensor).data<byte>().ToArray(), PillowResize.Resize(image, size.Width, size.Height, processor.Filter).Pixels);
        }
    }

    [GeneratedRegex(@"^(?<image>\w+)\.(?<by>hf|openai)$")]
    private static partial Regex TensorName();
}
