using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>How a folder tells that images are prepared: in files of old and new releases, or not at all.</summary>
public class PublishedPreprocessingTests
{
    private const string ConfigFile = "config.json", PreprocessorFile = "preprocessor_config.json", ProcessorFile = "processor_config.json";

    public static TheoryData<string> All => PublishedFolder.All;

    [Theory, MemberData(nameof(All))]
    public void TheModelTypeTellsTheClassThatAFileDoesNotName(string name)
    {
        using var folder = new PublishedFolder(name);
        var typed = folder.Open().Preprocessing;

        // As the first releases wrote it: sizes are numbers, which mean what the class says.
        folder.Change(PreprocessorFile, json =>
        {
            json.Remove("image_processor_type");
            foreach (var size in new[] { "size", "crop_size", "pad_size" }.Where(json.ContainsKey))
                json[size] = json[size]!.AsObject().First().Value!.DeepClone();
        });
        Assert.Equal(typed, folder.Open().Preprocessing);

        // Nothing but the class's own settings.
        folder.Write(PreprocessorFile, new JsonObject { ["image_processor_type"] = folder.Read(PreprocessorFile)["image_processor_type"]?.DeepClone(), ["size"] = Side(typed), ["crop_size"] = Crop(typed), ["pad_size"] = typed.Pad?.Height });
        var untyped = folder.Open().Preprocessing;
        folder.Change(PreprocessorFile, json => json["image_processor_type"] = Class(name));
        Assert.Equal(folder.Open().Preprocessing, untyped);
        Assert.Empty(folder.Notices);
    }

    /// <summary>The scores that the official implementation gives for the golden DeiT and its old preprocessor file.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(", \"feature_extractor_type\": \"DeiTFeatureExtractor\"")]
    public void AnOldFileOfDeiTGivesTheOfficialScores(string type)
    {
        using var folder = new PublishedFolder("deit");
        folder.Write(PreprocessorFile, JsonNode.Parse($$"""
            {"crop_size": 32, "do_center_crop": true, "do_normalize": true, "do_resize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 36{{type}}}
            """)!);
        float[] expected = [0.31492f, 0.27868f, 0.09819f, 0.30820f];
        Assert.All(expected.Zip(folder.Scores()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Empty(folder.Notices);
    }

    [Theory, MemberData(nameof(All))]
    public void TheFileOfNewReleasesIsRead(string name)
    {
        using var folder = new PublishedFolder(name);
        var typed = folder.Open().Preprocessing;
        folder.Write(ProcessorFile, new JsonObject { ["image_processor"] = folder.Read(PreprocessorFile), ["processor_class"] = "Processor" });
        folder.Delete(PreprocessorFile);
        Assert.Equal(typed, folder.Open().Preprocessing);

        folder.Change(ProcessorFile, json => json["image_processor"]!.AsObject().Remove("image_processor_type"));
        Assert.Equal(typed, folder.Open().Preprocessing);
        Assert.Empty(folder.Notices);

        // Of both, the library takes the new one.
        folder.Write(PreprocessorFile, new JsonObject { ["size"] = 1 });
        Assert.Equal(typed, folder.Open().Preprocessing);
        Assert.Contains(ProcessorFile, Assert.Single(folder.Notices));

        folder.Change(ProcessorFile, json => json["image_processor"]!["resample"] = "best");
        var error = Assert.Throws<CheckpointException>(() => folder.Open());
        Assert.Contains(folder.File(ProcessorFile), error.Message);
        Assert.Contains("resample", error.Message);
    }

    [Theory, MemberData(nameof(All))]
    public void AFolderThatDoesNotTellIsNamed(string name)
    {
        using var folder = new PublishedFolder(name);
        folder.Delete(PreprocessorFile);
        var preprocessing = folder.Open().Preprocessing;
        var notice = Assert.Single(folder.Notices);
        Assert.Contains(folder.Path, notice);
        Assert.Contains("Preprocessing decides otherwise", notice);
        Assert.NotNull(preprocessing.OutputHeight);
    }

    [Theory, MemberData(nameof(All))]
    public void AnUnknownClassIsNamed(string name)
    {
        using var folder = new PublishedFolder(name);
        folder.Change(PreprocessorFile, json => json["image_processor_type"] = "OtherImageProcessor");
        folder.Open();
        Assert.Contains("OtherImageProcessor", Assert.Single(folder.Notices));

        folder.Change(PreprocessorFile, json => json.Remove("resample"));
        Assert.Contains("OtherImageProcessor", Assert.Throws<CheckpointException>(() => folder.Open()).Message);
    }

    /// <summary>An image of the network's size goes in as it is; one of another size is resized, which is said.</summary>
    [Theory]
    [InlineData("vit-classifier")]
    [InlineData("vit-featurizer")]
    [InlineData("swin-classifier")]
    [InlineData("swinv2-classifier")]
    [InlineData("siglip")]
    public void AFileThatDoesNotResizeIsRead(string name)
    {
        using var folder = new PublishedFolder(name);
        var typed = folder.Open().Preprocessing;
        folder.Change(PreprocessorFile, json => json["do_resize"] = false);
        Assert.Equal(typed, folder.Open().Preprocessing);
        Assert.Contains("do_resize", Assert.Single(folder.Notices));
    }

    [Theory]
    [InlineData("deit")]
    [InlineData("clip")]
    [InlineData("sam")]
    public void AFileThatCropsOrPadsNeedNotResize(string name)
    {
        using var folder = new PublishedFolder(name);
        var typed = folder.Open().Preprocessing;
        folder.Change(PreprocessorFile, json => json["do_resize"] = false);
        Assert.Equal(typed with { Resize = null }, folder.Open().Preprocessing);
        Assert.Empty(folder.Notices);
    }

    [Theory, MemberData(nameof(All))]
    public void WhatTheClassPassesOverIsPassedOver(string name)
    {
        using var folder = new PublishedFolder(name);
        var typed = folder.Open().Preprocessing;
        folder.Change(PreprocessorFile, json => json["crop_pct"] = 0.875);
        Assert.Equal(typed, folder.Open().Preprocessing);
        Assert.Contains("crop_pct", Assert.Single(folder.Notices));
    }

    [Fact]
    public void TheUsersChoiceNeedsNoFile()
    {
        using var folder = new PublishedFolder("vit-classifier");
        var chosen = ImagePreprocessing.ExactSize(32, 32);
        var scores = folder.Scores(chosen);
        File.WriteAllText(folder.File(PreprocessorFile), "no JSON");
        Assert.Equal(scores, folder.Scores(chosen));
        Assert.Empty(folder.Notices);
        Assert.Contains(PreprocessorFile, Assert.Throws<CheckpointException>(() => folder.Scores()).Message);
    }

    private static string Class(string name) => name.Split('-')[0] switch
    {
        "deit" => "DeiTImageProcessor",
        "dinov2" => "BitImageProcessor",
        "clip" => "CLIPImageProcessor",
        "siglip" => "SiglipImageProcessor",
        "sam" => "SamImageProcessor",
        _ => "ViTImageProcessor",
    };

    private static int? Side(ImagePreprocessing steps) => steps.Resize switch
    {
        ImageResize.Exact exact => exact.Height,
        ImageResize.ShortestEdge edge => edge.Length,
        ImageResize.LongestEdge edge => edge.Length,
        _ => null,
    };

    private static int? Crop(ImagePreprocessing steps) => steps.CenterCrop?.Height;
}
