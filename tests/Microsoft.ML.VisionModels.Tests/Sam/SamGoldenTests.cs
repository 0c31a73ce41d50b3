using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

[Trait("Category", "Golden")]
[Trait("Family", "Sam")]
public partial class SamGoldenTests
{
    private const string ImageFile = "image.png", OriginalSize = "processed.original_size_hw", ResizedSize = "processed.reshaped_input_size_hw";

    // sam-amg's cases are the automatic generator's.
    public static TheoryData<string> Cases => [.. GoldenCase.For("sam").Select(row => row.Data).Where(name => !GoldenCase.Belongs(name, "sam-amg"))];

    public static TheoryData<string> CasesWithAnImage => GoldenCase.Holding(ImageFile, Cases);

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);

        if (golden.Has("in.pixel_values"))
            AssertOneImage(golden, network);

        // Several images at once, with points of which some are none.
        foreach (var (_, batch) in golden.Matching(BatchName()))
        {
            var prefix = batch.Groups["batch"].Value;
            var (images, points) = (network.Encode(golden.Input($"{prefix}.pixel_values")), golden.Input($"{prefix}.points"));      // [B, P, N, 2]
            var (masks, iou) = network.Decode(images.repeat_interleave(points.shape[1], 0), new(points.flatten(0, 1), golden.Input($"{prefix}.labels").flatten(0, 1)));
            golden.AssertCloseWherePresent(new Dictionary<string, Tensor>
            {
                [$"{prefix}.pred_masks"] = masks[TensorIndex.Colon, TensorIndex.Slice(1)].unflatten(0, points.shape[0], points.shape[1]),
                [$"{prefix}.iou_scores"] = iou[TensorIndex.Colon, TensorIndex.Slice(1)].unflatten(0, points.shape[0], points.shape[1]),
            });
        }
        golden.AssertAllCompared();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesWithAnImage))]
    public void PreparesImagesLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var processor = new ImageProcessor(ImagePreprocessing.FromHuggingFace(golden.ReadJson("preprocessor_config.json")));
        var image = ImageDecoder.Decode(golden.File(ImageFile));
        var size = new ImageSize(image.Height, image.Width);
        if (golden.Has("processed.pixel_values"))
            Assert.True((processor.ProcessBatch([image]) - golden.Input("processed.pixel_values")).abs().max().item<float>() < 1e-6f);
        if (golden.Has(OriginalSize))
            Assert.Equal(Size(golden, OriginalSize), size);
        if (golden.Has(ResizedSize))
            Assert.Equal(Size(golden, ResizedSize), processor.Settings.ResizedSize(size));
    }

    /// <summary>From the reference's own masks as they were decoded, so that nothing but rounding may tell a pixel apart.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EnlargesMasksLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        foreach (var (tensor, enlarged) in golden.Matching(EnlargedName()))
        {
            var decodedName = $"out.{enlarged.Groups["output"].Value}.pred_masks";
            if (!golden.Has(decodedName))
                continue;
            var enlarger = new MaskEnlarger((int)golden.Input("pixel_values").shape[^1], Size(golden, ResizedSize), Size(golden, OriginalSize));
            Assert.Equal(RunLengthMask.FromTensors(golden.Expected(tensor).flatten(0, 1)), golden.Expected(decodedName).flatten(0, 2).unbind(0).Select(mask => enlarger.Enlarge(mask).Mask));
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, SamDialect.Published(network.Config));
        Assert.Equal(ModelJson.Write(network.Config), ModelJson.Write(SamConfig.FromHuggingFace(JsonSerializer.SerializeToElement(network.Config.ToHuggingFace()))));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void MetasNamesReadBackEqual(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var folder = TestFolders.Temporary();
        var meta = SamDialect.All(network.Config)[^1];
        CheckpointLoader.Save(network, meta, folder.File("sam.safetensors"));
        using var saved = Checkpoint.Open(folder.File("sam.safetensors"));
        Assert.Equal("Meta", Dialect.For(saved, SamDialect.All(network.Config)).Name);
        using var read = new SamNetwork(network.Config);
        CheckpointLoader.Load(read, saved, meta);
        Assert.All(network.state_dict(), tensor => Assert.True(tensor.Value.equal(read.state_dict()[tensor.Key]).all().item<bool>(), tensor.Key));
    }

    private static void AssertOneImage(GoldenCase golden, SamNetwork network)
    {
        var encoder = new Trace();
        var image = network.Encode(golden.Input("pixel_values"), encoder);
        golden.AssertCloseWherePresent(encoder.Tensors.Select(tensor => KeyValuePair.Create(tensor.Key.Replace("hidden_states.", "vision_hidden_states.", StringComparison.Ordinal), tensor.Value)));
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor>
        {
            ["image_embeddings"] = image,
            ["image_positional_embeddings"] = network.Prompts.ImagePositions(),
            ["no_mask.dense_embeddings"] = network.Prompts.Dense(null).expand_as(image),
        });

        foreach (var (_, output) in golden.Matching(OutputName()))
        {
            var (set, tensor) = (output.Groups["set"].Value, output.Groups["tensor"].Value);
            var (points, labels) = Points(golden, set);
            var prompts = new SamPromptTensors(points, labels, set.Contains("box") ? golden.Input("boxes")[0] : null, set.Contains("mask") ? golden.Input("masks") : null);
            var trace = new Trace();
            var (masks, iou) = network.Decode(image, prompts, trace);
            var decoded = output.Groups["mode"].Value == "single" ? TensorIndex.Slice(0, 1) : TensorIndex.Slice(1);
            // Theirs begin with the number of images, but where prompts are counted as images.
            golden.AssertClose(output.Value["out.".Length..], tensor switch
            {
                "sparse_embeddings" => network.Prompts.Sparse(prompts.Points, prompts.Labels, prompts.Boxes)!.unsqueeze(0),
                "dense_embeddings" => network.Prompts.Dense(prompts.Masks),
                "pred_masks" => masks[TensorIndex.Colon, decoded].unsqueeze(0),
                "iou_scores" => iou[TensorIndex.Colon, decoded].unsqueeze(0),
                "upscale_conv2" => trace[tensor],
                _ when tensor.EndsWith("keys", StringComparison.Ordinal) => trace[tensor].unsqueeze(1),
                _ => trace[tensor].unsqueeze(0),
            });
        }
    }

    private static ImageSize Size(GoldenCase golden, string tensor)
    {
        var size = golden.Input(tensor).data<long>();
        return new((int)size[0], (int)size[1]);
    }

    private static (Tensor? Points, Tensor? Labels) Points(GoldenCase golden, string set) => set switch
    {
        "point" or "point_mask" => (golden.Input("points1")[0], golden.Input("labels1")[0]),
        "points" => (golden.Input("points")[0], golden.Input("labels")[0]),
        "points_box" => (golden.Input("points2")[0], golden.Input("labels2")[0]),
        _ => (null, null),
    };

    internal static SamNetwork Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var network = new SamNetwork(SamConfig.FromHuggingFace(golden.Config));
        CheckpointLoader.Load(network, checkpoint, Dialect.For(checkpoint, SamDialect.All(network.Config)));
        network.eval();
        return network;
    }

    [GeneratedRegex(@"^in\.(?<batch>batch\d+)\.pixel_values$")]
    private static partial Regex BatchName();

    [GeneratedRegex(@"^post\.(?<output>\w+\.(multi|single))\.binary$")]
    private static partial Regex EnlargedName();

    [GeneratedRegex(@"^out\.(?<set>point|points|box|points_box|mask|point_mask|none)\.((?<mode>multi|single)\.)?(?<tensor>sparse_embeddings|dense_embeddings|pred_masks|iou_scores|two_way\.\d+\.\w+|two_way\.final_queries|upscale_conv2)$")]
    private static partial Regex OutputName();
}
