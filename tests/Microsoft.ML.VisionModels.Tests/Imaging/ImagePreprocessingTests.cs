using System.Text.Json;
using Microsoft.ML.VisionModels.Imaging;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class ImagePreprocessingTests
{
    private static ImagePreprocessing Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return ImagePreprocessing.FromHuggingFace(document.RootElement);
    }

    [Fact]
    public void TheFirstViTFilesAreReadAsTheirClassMeantThem()
    {
        var settings = Read("""{ "do_normalize": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 224 }""");
        Assert.Equal(ImagePreprocessing.ExactSize(224, 224), settings);
    }

    [Fact]
    public void OneNumberMeansWhatTheClassSays()
    {
        Assert.Equal(new ImageResize.Exact(256, 256), Read("""{ "feature_extractor_type": "DeiTFeatureExtractor", "size": 256 }""").Resize);
        Assert.Equal(new ImageResize.ShortestEdge(256), Read("""{ "image_processor_type": "CLIPImageProcessor", "size": 256 }""").Resize);
        Assert.Equal(new ImageResize.LongestEdge(512), Read("""{ "image_processor_type": "SamImageProcessor", "size": 512 }""").Resize);
        Assert.Equal(new ImageSize(200, 200), Read("""{ "feature_extractor_type": "CLIPFeatureExtractor", "crop_size": 200 }""").CenterCrop);
    }

    [Fact]
    public void WhatTheFileLeavesOutComesFromTheClass()
    {
        var clip = Read("""{ "image_processor_type": "CLIPImageProcessorFast" }""");
        Assert.Equal(new ImageResize.ShortestEdge(224), clip.Resize);
        Assert.Equal(ResizeFilter.Bicubic, clip.Filter);
        Assert.Equal(new ImageSize(224, 224), clip.CenterCrop);
        Assert.Equal(ImageNormalization.Clip, clip.Normalization);

        var sam = Read("""{ "image_processor_type": "SamImageProcessor" }""");
        Assert.Equal(new ImageSize(1024, 1024), sam.Pad);
        Assert.Equal(1024, sam.OutputHeight);

        var blip = Read("""{ "image_processor_type": "BlipImageProcessor" }""");
        Assert.Equal(new ImageResize.Exact(384, 384), blip.Resize);
    }

    [Fact]
    public void ASizeMayBeAListOfHeightAndWidth()
    {
        var settings = Read("""{ "image_processor_type": "DeiTImageProcessor", "size": [40, 48], "crop_size": [32, 36] }""");
        Assert.Equal(new ImageResize.Exact(40, 48), settings.Resize);
        Assert.Equal(new ImageSize(32, 36), settings.CenterCrop);
        Assert.Equal(new ImageSize(64, 80), Read("""{ "image_processor_type": "SamImageProcessor", "pad_size": [64.0, 8e1] }""").Pad);
    }

    /// <summary>ConvNeXT's class: the crop is a share of the shortest edge; from 384 pixels on there is none.</summary>
    [Theory]
    [InlineData("""{ "crop_pct": 0.9, "size": 224 }""", 248, 224)]
    [InlineData("""{ "size": { "shortest_edge": 224 } }""", 256, 224)]
    [InlineData("""{ "crop_pct": null, "size": [] }""", 0, 0)]
    [InlineData("""{ "crop_pct": 0, "size": 224 }""", 0, 0)]
    [InlineData("""{ "crop_pct": 0.9, "size": { "height": 224, "width": 224 } }""", 0, 0)]
    [InlineData("""{ "crop_pct": 0.9 }""", 384, 384)]
    [InlineData("""{ "crop_pct": 0.9, "size": 224, "do_resize": false }""", null, null)]
    public void ACropMayBeAShareOfTheEdge(string json, int? edge, int? side)
    {
        var file = json.Insert(1, " \"image_processor_type\": \"ConvNextImageProcessor\",");
        if (edge == 0)
        {
            Assert.Contains("size", Assert.Throws<FormatException>(() => Read(file)).Message);
            return;
        }
        var settings = Read(file);
        Assert.Equal(edge == side ? (edge is { } square ? new ImageResize.Exact(square, square) : null) : new ImageResize.ShortestEdge(edge!.Value), settings.Resize);
        Assert.Equal((side, side), (settings.OutputHeight, settings.OutputWidth));
    }

    [Theory]
    [InlineData("{}", "ViTImageProcessor")]
    [InlineData("""{ "do_center_crop": true }""", "CLIPImageProcessor")]
    [InlineData("""{ "image_processor_type": "OtherImageProcessor", "size": [8, 8], "resample": 3 }""", "ViTImageProcessor")]
    public void AGuessedClassIsNamed(string json, string named)
    {
        var notices = new List<string>();
        using (VisionModels.Core.Notices.To(new(notices.Add)))
            Read(json);
        Assert.Contains(named, Assert.Single(notices));
    }

    [Fact]
    public void StepsCanBeSwitchedOff()
    {
        var settings = Read("""{ "image_processor_type": "DeiTImageProcessor", "do_resize": false, "do_center_crop": false, "do_rescale": false, "do_normalize": false }""");
        Assert.Null(settings.Resize);
        Assert.Null(settings.CenterCrop);
        Assert.Equal(1, settings.RescaleFactor);
        Assert.Null(settings.Normalization);
        Assert.Null(settings.OutputWidth);
    }

    [Theory]
    [InlineData("""[1]""", "object")]
    [InlineData("""{ "size": "large" }""", "size")]
    [InlineData("""{ "size": { "height": 3 } }""", "size")]
    [InlineData("""{ "size": { "shortest_edge": 3, "longest_edge": 4 } }""", "size")]
    [InlineData("""{ "size": 0 }""", "Resize")]
    [InlineData("""{ "size": 2.5 }""", "size")]
    [InlineData("""{ "resample": 9 }""", "Filter")]
    [InlineData("""{ "image_mean": [0.5] }""", "image_mean")]
    [InlineData("""{ "image_std": [0.5, 0, 0.5] }""", "Normalization")]
    [InlineData("""{ "do_resize": "yes" }""", "do_resize")]
    [InlineData("""{ "do_pad": true }""", "pad_size")]
    [InlineData("""{ "crop_offset": 1 }""", "crop_offset")]
    [InlineData("""{ "size": [1, 2, 3] }""", "size")]
    [InlineData("""{ "size": [-1, 2] }""", "size")]
    [InlineData("""{ "image_std": [0.5, 1e300, 0.5] }""", "Normalization")]
    [InlineData("""{ "rescale_factor": -1 }""", "rescale_factor")]
    [InlineData("""{ "image_processor_type": "\ud800" }""", "image_processor_type")]
    [InlineData("""{ "crop_pct": 0.875 }""", "crop_pct")]
    [InlineData("""{ "image_processor_type": "DetrImageProcessor" }""", "DetrImageProcessor")]
    public void WhatIsWrongIsNamed(string json, string named) => Assert.Contains(named, Assert.Throws<FormatException>(() => Read(json)).Message);

    [Fact]
    public void EverySettingIsWritten()
    {
        ImagePreprocessing[] all =
        [
            new(),
            ImagePreprocessing.ExactSize(32, 48, ResizeFilter.Lanczos),
            new() { Resize = new ImageResize.ShortestEdge(256), CenterCrop = new(224, 200), TorchvisionCrop = true, Normalization = ImageNormalization.ImageNet },
            new() { Resize = new ImageResize.LongestEdge(64), Pad = new(64, 64), RescaleFactor = 1 / 127.5, Filter = ResizeFilter.Box },
            new() { CenterCrop = new(10, 10), RescaleFactor = 1, Normalization = ImageNormalization.Clip },
        ];
        foreach (var settings in all)
            Assert.Equal(settings, Read(settings.ToHuggingFace()));
    }

    /// <summary>Families declare the classes one by one; together they must be a partition.</summary>
    [Fact]
    public void EverySettingIsWrittenForOneProcessorClass()
    {
        foreach (var resize in new ImageResize?[] { null, new ImageResize.Exact(8, 8), new ImageResize.ShortestEdge(8), new ImageResize.LongestEdge(8) })
        {
            foreach (var crop in new ImageSize?[] { null, 4 })
            {
                foreach (var pad in new ImageSize?[] { null, 9 })
                {
                    var settings = new ImagePreprocessing { Resize = resize, CenterCrop = crop, Pad = pad };
                    Assert.Single(PreprocessorConfig.Classes, known => known.Matches(settings));
                }
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AFileWithoutAClassIsReadByOneProcessorClass(bool centerCrop) =>
        Assert.Single(PreprocessorConfig.Classes, known => known.AssumedForCenterCrop == centerCrop);

    [Fact]
    public void WrongSettingsAreRefused()
    {
        Assert.Contains("CenterCrop", Assert.Throws<ArgumentException>(() => new ImageProcessor(new() { CenterCrop = new(0, 4) })).Message);
        Assert.Contains("Filter", Assert.Throws<ArgumentException>(() => new ImageProcessor(new() { Filter = (ResizeFilter)7 })).Message);
    }

    [Fact]
    public void ABatchHoldsWhatEachImageGives()
    {
        using var scope = torch.NewDisposeScope();
        var processor = new ImageProcessor(ImagePreprocessing.ExactSize(9, 11, ResizeFilter.Bicubic));
        RgbImage[] images = [.. Enumerable.Range(0, 7).Select(i => TestImages.Noise(20 + i, 30 - i, i))];

        var batch = processor.ProcessBatch(images);
        var decodedOnTheWay = processor.ProcessBatch(images.Length, i => images[i]);

        Assert.Equal([7, 3, 9, 11], batch.shape);
        Assert.True(batch.Equals(decodedOnTheWay));
        for (var i = 0; i < images.Length; i++)
        {
            var values = new float[3 * 9 * 11];
            processor.Process(images[i], values);
            Assert.Equal(values, batch[i].contiguous().data<float>().ToArray());
        }
    }

    /// <summary>Training keeps bytes and normalizes on the device: not one bit may change.</summary>
    [Fact]
    public void NormalizingABatchOfBytesGivesTheSameBits()
    {
        ImagePreprocessing[] all =
        [
            ImagePreprocessing.ExactSize(16, 16) with { Normalization = ImageNormalization.ImageNet },
            new() { Resize = new ImageResize.Exact(16, 16), RescaleFactor = 0.0123 },
            new() { Resize = new ImageResize.LongestEdge(16), Normalization = ImageNormalization.Clip, Pad = new(20, 18) },
        ];
        foreach (var settings in all)
        {
            using var scope = torch.NewDisposeScope();
            var processor = new ImageProcessor(settings);
            RgbImage[] images = [TestImages.Noise(16, 16, 1), TestImages.Noise(16, 16, 2)];
            var planes = new byte[2 * 3 * 256];
            images[0].CopyPlanes(planes);
            images[1].CopyPlanes(planes.AsSpan(3 * 256));

            var normalized = processor.Normalize(torch.tensor(planes).view(2, 3, 16, 16));

            Assert.True(processor.ProcessBatch(images).Equals(normalized));
        }
    }

    [Fact]
    public void ImagesOfOneBatchMustComeOutInOneSize()
    {
        var processor = new ImageProcessor(new() { Resize = new ImageResize.ShortestEdge(8) });
        var error = Assert.Throws<ArgumentException>(() => processor.ProcessBatch([TestImages.Noise(8, 8), TestImages.Noise(16, 8)]));
        Assert.Contains("8 x 16", error.Message);
        Assert.Throws<InvalidOperationException>(() => processor.ProcessBatch(2, _ => TestImages.Noise(8, 8)));
    }

    [Fact]
    public void ADamagedImageInABatchIsNamed()
    {
        var processor = new ImageProcessor(ImagePreprocessing.ExactSize(8, 8));
        var error = Assert.Throws<ImageDecodeException>(() => processor.ProcessBatch(5, i => i == 3 ? ImageDecoder.Decode([], "third") : TestImages.Noise(9, 9)));
        Assert.Equal("third", error.FilePath);
    }

    [Theory]
    [InlineData(1, 20_000, false)] // 2e9 pixels
    [InlineData(20_000_000, 1, true)] // an edge beyond 2^31
    public void ALineThatWouldGrowBeyondMemoryIsRefused(int width, int height, bool crop)
    {
        var processor = new ImageProcessor(new() { Resize = new ImageResize.ShortestEdge(300), CenterCrop = crop ? new(300, 300) : null });
        Assert.Contains($"{height} x {width}", Assert.Throws<ImageDecodeException>(() => processor.ResizeAndCrop(new RgbImage(width, height))).Message);
    }

    [Fact]
    public void AnImageThatDoesNotFitThePaddingIsRefused()
    {
        var processor = new ImageProcessor(new() { Pad = new(4, 4) });
        Assert.Contains("5 x 3", Assert.Throws<ImageDecodeException>(() => processor.ProcessBatch([TestImages.Noise(3, 5)])).Message);
    }

    [Theory]
    [InlineData(ChannelOrder.Rgb, false)]
    [InlineData(ChannelOrder.Bgr, false)]
    [InlineData(ChannelOrder.Bgr, true)]
    public void ChannelsHaveTheOrderOfTheNetworkAndAMeanImageIsSubtracted(ChannelOrder order, bool normalizes)
    {
        using var scope = torch.NewDisposeScope();
        var mean = new MeanImage(2, 3, Enumerable.Range(0, 18).Select(i => 10f * i).ToArray());
        var settings = new ImagePreprocessing
        {
            Resize = new ImageResize.Exact(2, 3), RescaleFactor = 1, ChannelOrder = order, MeanImage = mean,
            Normalization = normalizes ? new((1, 2, 3), (2, 4, 8)) : null,
        };
        var processor = new ImageProcessor(settings);
        var image = TestImages.Noise(3, 2, seed: 1);
        var batch = processor.ProcessBatch([image]);
        for (var channel = 0; channel < 3; channel++)
        {
            var color = order == ChannelOrder.Bgr ? 2 - channel : channel;
            for (var place = 0; place < 6; place++)
            {
                var rescaled = image.Pixels[3 * place + color] - mean.Values.Span[6 * channel + place];
                var expected = normalizes ? (rescaled - (color + 1)) / (2 << color) : rescaled;
                Assert.Equal(expected, batch[0, channel, place / 3, place % 3].item<float>(), 1e-4f);
            }
        }
        var planes = torch.tensor(image.Pixels.ToArray()).view(1, 2, 3, 3).permute(0, 3, 1, 2).contiguous();
        Assert.True(processor.Normalize(planes).equal(batch).all().item<bool>());

        Assert.Equal(settings, Read(settings.ToHuggingFace()));
        Assert.NotEqual(settings, Read((settings with { MeanImage = new(2, 3, new float[18]) }).ToHuggingFace()));
    }

    [Fact]
    public void AMeanImageIsOfTheImagesSize()
    {
        var mean = new MeanImage(2, 3, new float[18]);
        Assert.Contains("2 x 3", Assert.Throws<ArgumentException>(() => new ImageProcessor(new() { Resize = new ImageResize.Exact(3, 3), MeanImage = mean })).Message, StringComparison.Ordinal);
        Assert.Contains("? x ?", Assert.Throws<ArgumentException>(() => new ImageProcessor(new() { MeanImage = mean })).Message, StringComparison.Ordinal);
        Assert.Contains("padded", Assert.Throws<ArgumentException>(() => new ImageProcessor(new() { CenterCrop = new(2, 3), Pad = new(2, 3), MeanImage = mean })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new MeanImage(2, 3, new float[17]));
        Assert.Throws<ArgumentException>(() => new MeanImage(1, 1, new float[] { 0, float.NaN, 0 }));
        Assert.Throws<ArgumentException>(() => new MeanImage(1 << 16, 1 << 16, default));
        Assert.Contains("mean_image", Assert.Throws<FormatException>(() => Read("""{ "size": 2, "mean_image": { "height": 2, "width": 2, "values": "AAA" } }""")).Message, StringComparison.Ordinal);
    }
}
