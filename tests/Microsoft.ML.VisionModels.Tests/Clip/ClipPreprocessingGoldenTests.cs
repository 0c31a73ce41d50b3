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
        foreach (var (tensor, match) in golden.Matching(TensorName()))
        {
            var image = golden.Image(match.Groups["image"].Value);
            if (match.Groups["what"].Value == "resized_uint8")
            {
                var size = huggingFace.ResizedSize(new(image.Height, image.Width));
                Assert.Equal([size.Height, size.Width, 3], golden.Tensors[tensor].Shape);
                Assert.Equal(golden.Expected(tensor).data<byte>().ToArray(), PillowResize.Resize(image, size.Width, size.Height, huggingFace.Filter).Pixels);
            }
            else
            {
                var settings = match.Groups["what"].Value == "hf" ? huggingFace : huggingFace with { TorchvisionCrop = true };
                golden.AssertClose(tensor, new ImageProcessor(settings).ProcessBatch([image])[0]);
            }
        }
        golden.AssertNoneForgotten(golden.Tensors.Keys.Where(tensor => !TensorName().IsMatch(tensor)));
    }

    [GeneratedRegex(@"^(?<image>\w+)\.(?<what>hf|openai|resized_uint8)$")]
    private static partial Regex TensorName();
}
