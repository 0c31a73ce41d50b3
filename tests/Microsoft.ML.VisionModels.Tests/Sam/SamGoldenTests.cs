using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

[Trait("Category", "Golden")]
[Trait("Family", "Sam")]
public partial class SamGoldenTests
{
    // sam-amg's cases are the automatic generator's.
    public static TheoryData<string> Cases => [.. GoldenCase.For("sam").Select(row => row.Data).Where(name => !GoldenCase.Belongs(name, "sam-amg"))];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);

        var encoder = new Trace();
        var image = network.Encode(golden.Input("pixel_values"), encoder);
        golden.AssertClose("patch_embeddings", encoder["patch_embeddings"]);
        for (var layer = 0; layer <= network.Config.Vision!.Depth; layer++)
            golden.AssertClose($"vision_hidden_states.{layer}", encoder[$"hidden_states.{layer}"]);
        golden.AssertClose("image_embeddings", image);
        golden.AssertClose("image_positional_embeddings", network.Prompts.ImagePositions());
        golden.AssertClose("no_mask.dense_embeddings", network.Prompts.Dense(null).expand_as(image));

        foreach (var output in golden.Tensors.Keys.Select(key => OutputName().Match(key)).Where(match => match.Success))
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

        // Two images at once, of which one has a point that is none.
        var images = network.Encode(golden.Input("batch2.pixel_values"));
        var (batchMasks, batchIou) = network.Decode(images, new(golden.Input("batch2.points").squeeze(1), golden.Input("batch2.labels").squeeze(1)));
        golden.AssertClose("batch2.pred_masks", batchMasks[TensorIndex.Colon, TensorIndex.Slice(1)].unsqueeze(1));
        golden.AssertClose("batch2.iou_scores", batchIou[TensorIndex.Colon, TensorIndex.Slice(1)].unsqueeze(1));
        golden.AssertAllCompared();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void PreparesImagesLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var processor = new ImageProcessor(ImagePreprocessing.FromHuggingFace(golden.ReadJson("preprocessor_config.json")));
        var pixels = processor.ProcessBatch([ImageDecoder.Decode(golden.File("image.png"))]);
        Assert.True((pixels - golden.Input("processed.pixel_values")).abs().max().item<float>() < 1e-6f);
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

    [GeneratedRegex(@"^out\.(?<set>point|points|box|points_box|mask|point_mask|none)\.((?<mode>multi|single)\.)?(?<tensor>sparse_embeddings|dense_embeddings|pred_masks|iou_scores|two_way\.\d+\.\w+|two_way\.final_queries|upscale_conv2)$")]
    private static partial Regex OutputName();
}
