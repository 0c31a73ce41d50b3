using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Imaging;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

/// <summary>Pillow and the Hugging Face image processors, on small images of odd sizes. Every case's own files say which images, filters, sizes and processors.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Imaging")]
public partial class ImageProcessingGoldenTests
{
    private const string SizeTables = "geometry.json";

    public static TheoryData<string> Cases => GoldenCase.For("image-processing");

    public static TheoryData<string> CasesWithSizeTables => GoldenCase.Holding(SizeTables, Cases);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void ImagesDecodeToPillowsColors(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var (tensor, match) in golden.Matching(DecodedName()))
        {
            var image = golden.Image(match.Groups["image"].Value);
            Assert.Equal([image.Height, image.Width, 3], golden.Tensors[tensor].Shape);
            Assert.Equal(Bytes(golden, tensor), image.Pixels);
        }
        foreach (var (tensor, match) in golden.Matching(GrayName()))
        {
            var image = golden.Image(match.Groups["image"].Value);
            Assert.Equal(Bytes(golden, tensor).SelectMany(gray => new[] { gray, gray, gray }), image.Pixels);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void ResizingEqualsPillow(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var (tensor, resize) in golden.Matching(ResizeName()))
        {
            var source = golden.Image(resize.Groups["image"] is { Success: true } image ? image.Value : "rgb");
            var filter = Enum.Parse<ResizeFilter>(resize.Groups["filter"].Value, ignoreCase: true);
            var resized = PillowResize.Resize(source, int.Parse(resize.Groups["width"].Value), int.Parse(resize.Groups["height"].Value), filter);
            Assert.True(Bytes(golden, tensor).SequenceEqual(resized.Pixels), $"{name}: {tensor} differs.");
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void ProcessorsGiveTheirPixelValues(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var (tensor, values) in golden.Matching(PixelValuesName()))
        {
            using var scope = torch.NewDisposeScope();
            var processor = Processor(golden, values.Groups["processor"].Value);
            var image = golden.Image(values.Groups["image"].Value);
            var expected = golden.Expected(tensor);

            var actual = processor.ProcessBatch([image])[0];

            Assert.Equal(expected.shape, actual.shape);
            var difference = (actual - expected).abs().max().item<float>();
            Assert.True(difference <= 1e-6, $"{name}: {tensor} differs by {difference}.");
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void ProcessorsReportTheirSizes(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var (tensor, size) in golden.Matching(SizeName()))
        {
            var image = golden.Image(size.Groups["image"].Value);
            var original = new ImageSize(image.Height, image.Width);
            using var expected = golden.Expected(tensor);

            var actual = size.Groups["which"].Value == "original_size" ? original
                : Processor(golden, size.Groups["processor"].Value).Settings.ResizedSize(original);

            Assert.Equal(expected.data<long>().ToArray(), new long[] { actual.Height, actual.Width });
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(CasesWithSizeTables))]
    public void SizesAndCropOffsetsFollowTheirRules(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var entry in golden.ReadJson(SizeTables).EnumerateArray())
        {
            var source = new ImageSize(entry.GetProperty("height").GetInt32(), entry.GetProperty("width").GetInt32());
            var crop = entry.GetProperty("crop").GetInt32();
            var preprocessing = new ImagePreprocessing { Resize = new ImageResize.ShortestEdge(entry.GetProperty("shortest_edge").GetInt32()) };
            var torchvision = preprocessing with { TorchvisionCrop = true };

            var resized = preprocessing.ResizedSize(source);

            var expected = entry.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Array).ToArray();
            Assert.NotEmpty(expected);
            foreach (var pair in expected)
            {
                Assert.Equal(new ImageSize(pair.Value[0].GetInt32(), pair.Value[1].GetInt32()), pair.Name switch
                {
                    "hf_resized_hw" => resized,
                    "hf_crop_top_left" => new(preprocessing.CropOffset(resized.Height, crop), preprocessing.CropOffset(resized.Width, crop)),
                    "torchvision_crop_top_left" => new(torchvision.CropOffset(resized.Height, crop), torchvision.CropOffset(resized.Width, crop)),
                    _ when LongestEdgeName().Match(pair.Name) is { Success: true } longest => new ImageResize.LongestEdge(int.Parse(longest.Groups["edge"].Value)).SizeFor(source),
                    _ => throw new InvalidOperationException($"The size table has an entry '{pair.Name}' that is not known here."),
                });
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void SettingsReadBackAsTheyWereWritten(string name)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(TestFolders.Golden, name), "*preprocessor_config.json"))
        {
            using var published = JsonDocument.Parse(File.ReadAllText(file));
            var settings = ImagePreprocessing.FromHuggingFace(published.RootElement);
            using var written = JsonDocument.Parse(settings.ToHuggingFace());

            Assert.Equal(settings, ImagePreprocessing.FromHuggingFace(written.RootElement));
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void EveryTensorIsCompared(string name)
    {
        using var golden = GoldenCase.Open(name);
        Regex[] compared = [DecodedName(), GrayName(), ResizeName(), PixelValuesName(), SizeName()];
        // Pillow's conversion of colors to gray: no network here takes gray images.
        Regex[] notCompared = [ToGrayName()];

        Assert.Contains(golden.Tensors.Keys, tensor => compared.Any(pattern => pattern.IsMatch(tensor)));
        golden.AssertNoneForgotten(golden.Tensors.Keys.Where(tensor => !compared.Concat(notCompared).Any(pattern => pattern.IsMatch(tensor))));
    }

    private static ImageProcessor Processor(GoldenCase golden, string processor) =>
        new(ImagePreprocessing.FromHuggingFace(golden.ReadJson(processor + ".preprocessor_config.json")));

    private static byte[] Bytes(GoldenCase golden, string tensor)
    {
        using var expected = golden.Expected(tensor);
        return expected.data<byte>().ToArray();
    }

    [GeneratedRegex(@"^rgb_uint8\.(?<image>\w+)$")]
    private static partial Regex DecodedName();

    [GeneratedRegex(@"^(?<image>\w+)(?<!_to)_L_uint8$")]
    private static partial Regex GrayName();

    [GeneratedRegex(@"^\w+_to_L_uint8$")]
    private static partial Regex ToGrayName();

    [GeneratedRegex(@"^pil_resize\.((?<image>\w+)\.)?(?<filter>\w+)\.(?<width>\d+)x(?<height>\d+)$")]
    private static partial Regex ResizeName();

    [GeneratedRegex(@"^(?<processor>\w+)\.(?<image>\w+)\.pixel_values$")]
    private static partial Regex PixelValuesName();

    [GeneratedRegex(@"^(?<processor>\w+)\.(?<image>\w+)\.(?<which>original_size|reshaped_input_size)_hw$")]
    private static partial Regex SizeName();

    [GeneratedRegex(@"^sam_longest_edge_(?<edge>\d+)_hw$")]
    private static partial Regex LongestEdgeName();
}
