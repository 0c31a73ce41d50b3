using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

[Trait("Category", "Golden")]
[Trait("Family", "Sam")]
public class SamGeneratorGoldenTests
{
    // The reference's own noise is known to leave the list as it is, but may move a pixel at a border.
    private const double ScoreTolerance = 1e-4;
    private const int BorderPixels = 5;

    private const string Runs = "amg.json", PredictorsImage = "predictor.png";

    public static TheoryData<string> CasesWithRuns => GoldenCase.Holding(Runs, Cases);

    public static TheoryData<string> CasesWithAPredictor => GoldenCase.Holding(PredictorsImage, Cases);

    private static TheoryData<string> Cases => [.. GoldenCase.For("sam-amg").Select(row => row.Data).Where(name => !GoldenCase.Belongs(name, "sam-amg-functions"))];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesWithRuns))]
    public void FindsTheSegmentsOfTheReference(string name)
    {
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var use = network.Use(this);
        var predictor = Predictor(golden, use);
        foreach (var run in golden.ReadJson(Runs).EnumerateArray())
        {
            var segments = new SamGenerator(predictor, Settings(run.GetProperty("parameters"))).Generate(ImageDecoder.Decode(golden.File(run.GetProperty("image").GetString()!)), cancellation: TestContext.Current.CancellationToken);
            var expected = run.GetProperty("masks").EnumerateArray().ToArray();
            Assert.Equal(expected.Length, segments.Count);
            foreach (var (segment, record) in segments.Zip(expected))
            {
                Assert.Equal(Numbers(record.GetProperty("bbox")), segment.Mask.Box.ToXywh().Select(n => (double)n));
                Assert.Equal(Numbers(record.GetProperty("crop_box")), segment.Crop.Select(n => (double)n));
                var point = Numbers(record.GetProperty("point_coords")[0]);
                Assert.Equal(point[0], segment.Point.X, 1e-4);
                Assert.Equal(point[1], segment.Point.Y, 1e-4);
                Assert.Equal(record.GetProperty("predicted_iou").GetDouble(), segment.PredictedIou, ScoreTolerance);
                Assert.Equal(record.GetProperty("stability_score").GetDouble(), segment.Stability, 1e-2);
                var mask = RunLengthMask.FromCocoJson(record.GetProperty("rle"));
                Assert.True(mask.Area + segment.Mask.Area - 2 * mask.IntersectionArea(segment.Mask) <= BorderPixels, $"{mask} against {segment.Mask}");
            }
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesWithAPredictor))]
    public void PredictsLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var use = network.Use(this);
        var predictor = Predictor(golden, use);
        var image = predictor.Encode(ImageDecoder.Decode(golden.File(PredictorsImage)));
        if (golden.Has("predictor.input_size_hw"))
        {
            var resized = golden.Input("predictor.input_size_hw").to(ScalarType.Int32);
            Assert.Equal((resized[0].item<int>(), resized[1].item<int>()), (image.Resized.Height, image.Resized.Width));
        }
        if (golden.Has("predictor.features"))
            AssertClose(golden.Input("predictor.features").flatten(), image.Embedding, 2e-4);

        var (points, labels, box) = (Numbers("predictor.points"), Numbers("predictor.labels"), Numbers("predictor.box"));
        var prompt = new SamPrompt { Points = [.. labels.Select((label, i) => new SamPoint(points[2 * i], points[2 * i + 1], label == 1))] };
        var compared = 0;

        // The case asks about the first point, and then goes on with all.
        if (AsksFor("point_multi"))
            AssertIs("point_multi", First());
        if (AsksFor("box_points_single"))
            AssertIs("box_points_single", predictor.Predict(image, [prompt with { Box = new(box[0], box[1], box[2], box[3]) }], SamMaskChoice.Single)[0]);
        if (AsksFor("refined_single"))
        {
            var best = First()[golden.Input("predictor.refined_single.best_index").to(ScalarType.Int64).item<long>()];
            AssertIs("refined_single", predictor.Predict(image, [prompt with { Logits = best.Logits }], SamMaskChoice.Single)[0]);
        }
        Assert.True(compared > 0, "The case asks nothing.");

        SamMask[] First() => predictor.Predict(image, [prompt with { Points = [prompt.Points[0]] }], SamMaskChoice.Three)[0];

        bool AsksFor(string run) => golden.Has($"predictor.{run}.logits");

        float[] Numbers(string tensor) => golden.Has(tensor) ? golden.Input(tensor).to(ScalarType.Float32).data<float>().ToArray() : [];

        void AssertIs(string run, SamMask[] masks)
        {
            compared++;
            var expected = RunLengthMask.FromLogits(golden.Input($"predictor.{run}.logits"));
            Assert.Equal(expected.Length, masks.Length);
            if (golden.Has($"predictor.{run}.scores"))
                AssertClose(golden.Input($"predictor.{run}.scores"), [.. masks.Select(mask => mask.Score)], ScoreTolerance);
            if (golden.Has($"predictor.{run}.low_res"))
                AssertClose(golden.Input($"predictor.{run}.low_res").flatten(), [.. masks.SelectMany(mask => mask.Logits)], 1e-3);
            foreach (var (mask, theirs) in masks.Select(mask => mask.Mask).Zip(expected))
                Assert.True(mask.Area + theirs.Area - 2 * mask.IntersectionArea(theirs) <= BorderPixels, $"{run}: {mask} against {theirs}");
        }
    }

    // As in the original code but for the decoder's epsilon, which is Hugging Face's.
    private static ScoringNetwork Load(GoldenCase golden) => new(SamGoldenTests.Load(golden), CPU, Precision.Float32);

    private static SamPredictor Predictor(GoldenCase golden, NetworkUse use) => new(use, new(ImagePreprocessing.FromHuggingFace(golden.ReadJson("preprocessor_config.json"))));

    private static SamEverythingOptions Settings(JsonElement parameters)
    {
        var settings = new SamEverythingOptions();
        foreach (var parameter in parameters.EnumerateObject())
        {
            var value = parameter.Value.GetDouble();
            _ = parameter.Name switch
            {
                "points_per_side" => settings.PointsPerSide = (int)value,
                "points_per_batch" => settings.PointsPerBatch = (int)value,
                "pred_iou_thresh" => settings.PredictedIouThreshold = value,
                "stability_score_thresh" => settings.StabilityThreshold = value,
                "stability_score_offset" => settings.StabilityOffset = value,
                "box_nms_thresh" => settings.BoxNmsThreshold = value,
                "crop_n_layers" => settings.CropLayers = (int)value,
                "crop_nms_thresh" => settings.CropNmsThreshold = value,
                "crop_overlap_ratio" => settings.CropOverlap = value,
                "crop_n_points_downscale_factor" => settings.CropPointsDownscale = (int)value,
                "min_mask_region_area" => settings.MinRegionArea = (int)value,
                _ => throw new InvalidOperationException($"The case has a parameter '{parameter.Name}' that is not known here."),
            };
        }
        return settings;
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];

    private static void AssertClose(Tensor expected, float[] actual, double tolerance)
    {
        var difference = (expected.to(ScalarType.Float32).flatten() - tensor(actual)).abs().max().item<float>();
        Assert.True(difference <= tolerance, $"{string.Join(", ", actual.Take(4))} differs by {difference} from {string.Join(", ", expected.flatten().data<float>().Take(4))}, allowed are {tolerance}.");
    }
}
