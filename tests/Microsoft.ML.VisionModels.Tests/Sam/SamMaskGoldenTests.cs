using System.Globalization;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Masks;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>What the official mask generator does with masks, boxes and points.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Sam")]
public class SamMaskGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("sam-amg-functions");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void RunsAndBoxesAreTheReferences(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Functions(name);
        if (golden.Has("masks"))
        {
            var masks = RunLengthMask.FromTensors(golden.Tensor("masks"));
            Assert.True(golden.Tensor("masks").to(ScalarType.Bool).equal(stack([.. masks.Select(mask => mask.ToTensor())])).all().item<bool>());
            if (golden.Has("mask_to_rle", out var rles))
            {
                var runs = rles.EnumerateArray().ToArray();
                Assert.Equal(runs.Select(RunLengthMask.FromCocoJson), masks);
                Assert.All(runs.Zip(masks), pair => Assert.True(JsonElement.DeepEquals(pair.First, JsonElement.Parse(pair.Second.ToCocoJson(compressed: false))), pair.First.GetRawText()));
            }
            if (golden.Has("area_from_rle", out var areas))
                Assert.Equal(Integers(areas), masks.Select(mask => mask.Area));
            if (golden.Has("batched_mask_to_box"))
                Assert.Equal(golden.Longs("batched_mask_to_box"), masks.SelectMany(mask => Numbers(mask.Box)));
        }
        if (golden.Has("box_xyxy_to_xywh", out var pairs))
        {
            foreach (var boxes in pairs.EnumerateArray())
            {
                var (corners, expected) = (Integers(boxes[0]), Integers(boxes[1]));
                var box = new MaskBox(corners[0], corners[1], corners[2], corners[3]);
                Assert.Equal(expected, box.ToXywh());
                Assert.Equal(box, MaskBox.FromXywh(expected[0], expected[1], expected[2], expected[3]));
            }
        }
        golden.AssertAllRead("masks", "batched_mask_to_box");
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void PointsAndCropsAreTheReferences(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Functions(name);
        foreach (var grid in golden.Names("build_point_grid."))
            AssertPoints(golden.Floats(grid), PointGrid.Build(int.Parse(grid.Split('.')[1])));
        foreach (var grids in golden.Names("build_all_layer_point_grids.").GroupBy(grid => grid.Split('.')[1]))
        {
            int[] arguments = [.. grids.Key.Split('_').Select(int.Parse)];
            var layers = PointGrid.BuildLayers(arguments[0], arguments[1], arguments[2]);
            Assert.Equal(arguments[1] + 1, layers.Length);
            foreach (var grid in grids)
                AssertPoints(golden.Floats(grid), layers[int.Parse(grid.Split('.')[2])]);
        }
        golden.AssertAllRead("build_point_grid.", "build_all_layer_point_grids.");

        if (!golden.Has("generate_crop_boxes", out var calls))
            return;
        foreach (var expected in calls.EnumerateArray())
        {
            var crops = CropBox.Generate(Size(expected.GetProperty("im_size_hw")), expected.GetProperty("n_layers").GetInt32(), expected.GetProperty("overlap_ratio").GetDouble());
            Assert.Equal(expected.GetProperty("boxes_xyxy").EnumerateArray().Select(Integers), crops.Select(crop => new[] { crop.Left, crop.Top, crop.Right, crop.Bottom }));
            Assert.Equal(Integers(expected.GetProperty("layer_idxs")), crops.Select(crop => crop.Layer));
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void TheWayBackFromACropIsTheReferences(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Functions(name);
        if (golden.Has("near_edge", out var near))
        {
            var whole = Integers(near.GetProperty("orig_box"));
            Assert.Equal([0, 0], whole[..2]);
            var crop = Crop(near);
            var boxes = golden.Boxes("near_edge.boxes");
            Assert.Equal(golden.Longs("near_edge.result"), boxes.Select(box => crop.CutsOff(box, new(whole[3], whole[2]), near.GetProperty("atol").GetDouble()) ? 1L : 0));
            if (golden.Has("uncrop.boxes"))
                Assert.Equal(golden.Longs("uncrop.boxes"), boxes.SelectMany(box => Numbers(crop.Uncrop(box))));
        }
        if (golden.Has("uncrop_masks", out var uncrop))
        {
            var size = new ImageSize(uncrop.GetProperty("orig_h").GetInt32(), uncrop.GetProperty("orig_w").GetInt32());
            var expected = RunLengthMask.FromTensors(golden.Tensor("uncrop.masks"));
            var masks = RunLengthMask.FromTensors(golden.Tensor("masks")[..expected.Length]);
            Assert.Equal(expected, masks.Select(mask => Crop(uncrop).Uncrop(mask, size)));
        }
        golden.AssertAllRead("near_edge.", "uncrop.");
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void ScoresAndSuppressionAreTheReferences(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Functions(name);
        if (golden.Has("stability", out var runs))
        {
            var logits = golden.Tensor("stability.logits");         // [N, H, W], of the image's size
            var (height, width) = ((int)logits.shape[1], (int)logits.shape[2]);
            var side = Math.Max(height, width);
            var enlarger = new MaskEnlarger(side, new(height, width), new(height, width));
            var padded = nn.functional.pad(logits, [0, side - width, 0, side - height]);
            foreach (var (run, settings) in runs.EnumerateArray().Index())
            {
                var (threshold, offset) = (settings.GetProperty("mask_threshold").GetSingle(), settings.GetProperty("threshold_offset").GetSingle());
                Assert.Equal(golden.Floats($"stability.scores.{run}"), padded.unbind(0).Select(mask => enlarger.Enlarge(mask, threshold, offset).Stability));
            }
        }
        foreach (var keep in golden.Names("nms.keep."))
        {
            var threshold = Number(keep[(keep.IndexOf('.', "nms.keep.".Length) + 1)..]);
            int[] categories = keep.Contains(".batched.") ? [.. golden.Longs("nms.categories").Select(category => (int)category)] : [];
            var kept = NonMaximumSuppression.Run(golden.Floats("nms.boxes_xyxy"), golden.Floats("nms.scores"), threshold, categories);
            Assert.Equal(golden.Longs(keep), kept.Select(index => (long)index));
        }
        golden.AssertAllRead("stability.", "nms.");
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SmallRegionsAreTheReferences(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Functions(name);
        if (!golden.Has("small_regions.in"))
            return;
        var masks = RunLengthMask.FromTensors(golden.Tensor("small_regions.in"));
        if (golden.Has("small_regions", out var regions))
        {
            foreach (var run in regions.GetProperty("changed").EnumerateObject())
            {
                var (mode, area) = (run.Name.Split('.')[0], Number(run.Name[(run.Name.IndexOf('.') + 1)..]));
                RunLengthMask[] cleaned = [.. masks.Select(mask => mode == "holes" ? SmallRegions.FillHoles(mask, area) : SmallRegions.DropIslands(mask, area))];
                Assert.Equal(RunLengthMask.FromTensors(golden.Tensor($"small_regions.{run.Name}")), cleaned);
                Assert.Equal(run.Value.EnumerateArray().Select(changed => changed.GetBoolean()), cleaned.Zip(masks, (clean, mask) => !ReferenceEquals(clean, mask)));
            }
        }
        if (golden.Has("postprocess_small_regions", out var expected))
        {
            var kept = SmallRegions.CleanAll(masks, expected.GetProperty("min_area").GetDouble(), expected.GetProperty("nms_thresh").GetDouble());
            Assert.Equal(Integers(expected.GetProperty("kept_ids_in_order")), kept.Select(mask => mask.Index));
            Assert.Equal(expected.GetProperty("boxes_xyxy").EnumerateArray().SelectMany(box => Integers(box)).Select(x => (long)x), kept.SelectMany(mask => Numbers(mask.Mask.Box)));
            Assert.Equal(expected.GetProperty("rles").EnumerateArray().Select(RunLengthMask.FromCocoJson), kept.Select(mask => mask.Mask));
        }
        golden.AssertAllRead("small_regions.");
    }

    /// <summary>Where prompts go on the resized image is the predictor's; how large that is, is the shared resizing's.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void ImagesAreResizedToTheReferencesSize(string name)
    {
        using var golden = new Functions(name);
        if (!golden.Has("resize_longest_side", out var calls))
            return;
        foreach (var expected in calls.EnumerateArray())
            Assert.Equal(Size(expected.GetProperty("resized_hw")), new ImageResize.LongestEdge(expected.GetProperty("target").GetInt32()).SizeFor(Size(expected.GetProperty("im_size_hw"))));
    }

    /// <summary>What a case holds of other functions would pass by all of these tests.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EveryFunctionIsCompared(string name)
    {
        string[] known =
        [
            "mask_to_rle", "area_from_rle", "box_xyxy_to_xywh", "generate_crop_boxes", "near_edge", "uncrop_masks", "stability", "small_regions", "postprocess_small_regions", "resize_longest_side",
        ];
        using var golden = GoldenCase.Open(name);
        var functions = golden.ReadJson("functions.json").EnumerateObject().Select(function => function.Name).ToArray();
        Assert.NotEmpty(functions);
        golden.AssertNoneForgotten(functions.Except(known));
    }

    private static void AssertPoints(float[] expected, (double X, double Y)[] points) =>
        Assert.Equal(expected, points.SelectMany(point => new[] { (float)point.X, (float)point.Y }));

    private static long[] Numbers(MaskBox box) => [box.Left, box.Top, box.Right, box.Bottom];

    private static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetInt32())];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static ImageSize Size(JsonElement size) => new(size[0].GetInt32(), size[1].GetInt32());

    private static CropBox Crop(JsonElement settings)
    {
        var box = Integers(settings.GetProperty("crop_box"));
        return new(box[0], box[1], box[2], box[3], Layer: 1);
    }

    private sealed class Functions(string name) : IDisposable
    {
        private readonly GoldenCase _case = GoldenCase.Open(name);
        private readonly HashSet<string> _read = [];
        private JsonElement? _json;

        public bool Has(string tensor) => _case.Has(tensor);

        /// <summary>Whether the case holds calls of a function, and these.</summary>
        public bool Has(string function, out JsonElement calls) => (_json ??= _case.ReadJson("functions.json")).TryGetProperty(function, out calls);

        public IEnumerable<string> Names(string prefix) => _case.Tensors.Keys.Where(tensor => tensor.StartsWith(prefix, StringComparison.Ordinal));

        public Tensor Tensor(string tensor)
        {
            _read.Add(tensor);
            return _case.Expected(tensor);
        }

        public float[] Floats(string tensor) => Tensor(tensor).data<float>().ToArray();

        public long[] Longs(string tensor) => Tensor(tensor).to(ScalarType.Int64).data<long>().ToArray();

        public MaskBox[] Boxes(string tensor) => [.. Longs(tensor).Chunk(4).Select(box => new MaskBox((int)box[0], (int)box[1], (int)box[2], (int)box[3]))];

        /// <summary>Fails where a tensor of a function was not looked at.</summary>
        public void AssertAllRead(params string[] prefixes) => _case.AssertNoneForgotten(prefixes.SelectMany(Names).Except(_read));

        public void Dispose() => _case.Dispose();
    }
}
