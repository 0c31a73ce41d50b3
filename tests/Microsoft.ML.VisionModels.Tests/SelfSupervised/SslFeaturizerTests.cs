using System.Collections;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Tests.Swin;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

public class SslFeaturizerTests
{
    private readonly MLContext _context = new(seed: 1);

    public static TheoryData<SslMethod> Methods => [SslMethod.SimClr, SslMethod.Byol, SslMethod.Dino, SslMethod.Mae];

    [Theory, MemberData(nameof(Methods))]
    public void TheHistoryTellsHowFeaturesAreSpread(SslMethod method)
    {
        using var model = Fit(Options(method));
        Assert.All(model.History!.Epochs, epoch =>
        {
            Assert.True(double.IsFinite(epoch.TrainLoss));
            Assert.True(double.IsFinite(epoch.ValidationLoss!.Value));
            Assert.Equal(["EffectiveRank", "EmbeddingDeviation", "Uniformity"], epoch.ValidationMetrics.Keys.Order());
        });
        Assert.Null(model.History.BestEpoch);       // without labels nothing tells which is best
    }

    [Fact]
    public void LabelsJudgeAndTeachNothing()
    {
        var options = Options(SslMethod.SimClr);
        using var unlabeled = Fit(options);
        options.LabelColumnName = "Label";
        options.ValidationData = ToyImages.View(_context, 30, seed: 3);
        options.ValidationFraction = 0;
        using var judged = Fit(options);
        Assert.All(judged.History!.Epochs, epoch => Assert.InRange(epoch.ValidationMetrics["KnnAccuracy"], 0, 1));
        Assert.NotNull(judged.History.BestEpoch);

        // Rows without a label are learned from too: the same losses with half of the labels gone.
        var half = ToyImages.Rows(Images);
        foreach (var row in half.Where((_, i) => i % 2 == 0))
            row.Label = "";
        using var partly = _context.Transforms.SslFeaturizer(options).Fit(_context.Data.LoadFromEnumerable(half));
        Assert.Equal(judged.History.Epochs.Select(epoch => epoch.TrainLoss), partly.History!.Epochs.Select(epoch => epoch.TrainLoss));
    }

    [Fact]
    public void ALabelColumnThatHappensToBeThereIsNotRead()
    {
        var options = Options(SslMethod.Byol);
        using var without = _context.Transforms.SslFeaturizer(options).Fit(_context.Transforms.DropColumns("Label").Fit(View()).Transform(View()));
        using var with = _context.Transforms.SslFeaturizer(options).Fit(View());
        ContractData.AssertSame(ContractData.Scores(without, View()), ContractData.Scores(with, View()));
    }

    [Theory, MemberData(nameof(Methods))]
    public void EqualImagesAreACollapseAndNoNumberIsNaN(SslMethod method)
    {
        var image = ToyImages.Image(1, 1);
        var rows = Enumerable.Range(0, Images).Select(_ => new ToyImages.Input { Image = image }).ToList();
        var said = new List<string>();
        _context.Log += (_, entry) => said.Add(entry.Message);
        var options = Options(method);
        using var model = _context.Transforms.SslFeaturizer(options).Fit(_context.Data.LoadFromEnumerable(rows));
        Assert.All(model.History!.Epochs, epoch =>
        {
            Assert.True(double.IsFinite(epoch.TrainLoss));
            Assert.Equal(0, epoch.ValidationMetrics["EmbeddingDeviation"], 1e-3);
            Assert.Equal(0, epoch.ValidationMetrics["EffectiveRank"], 1e-3);
        });
        Assert.Contains(said, message => message.Contains("Collapse after epoch 1", StringComparison.Ordinal));
        Assert.All(ContractData.Scores(model, View()).SelectMany(row => Floats(row[0])), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void TooFewImagesAreAnError()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Fit(Options(SslMethod.SimClr), ToyImages.View(_context, 1)));
        Assert.Contains("BatchSize", error.Message);
        error = Assert.Throws<InvalidOperationException>(() => Fit(Options(SslMethod.Byol), ToyImages.View(_context, 7)));
        Assert.Contains("fewer than the BatchSize of 8", error.Message);
        var options = Options(SslMethod.SimClr);
        options.BatchSize = 1;
        Assert.Contains("told from", Assert.Throws<ArgumentOutOfRangeException>(() => Fit(options)).Message);
    }

    [Fact]
    public void WhatDoesNotFitIsSaidBeforeTraining()
    {
        var options = Options(SslMethod.Dino);
        options.Dino.LocalCropSize = 17;
        Assert.Contains("LocalCropSize is 17", Assert.Throws<ArgumentException>(() => Fit(options)).Message);
        options.Dino.LocalCropSize = 2;
        Assert.Contains("do not fill", Assert.Throws<ArgumentException>(() => Fit(options)).Message);

        options = Options(SslMethod.Mae);
        options.Checkpoint = SslContractSetup.Folder("resnet", ToyImages.Side);
        Assert.Contains("no Vision Transformer", Assert.Throws<ArgumentException>(() => Fit(options)).Message);
        options.Checkpoint = null;
        Assert.Contains("Backbone", Assert.Throws<ArgumentException>(() => _context.Transforms.SslFeaturizer(options)).Message);

        options = Options(SslMethod.SimClr);
        options.AttentionMapsColumnName = "Maps";
        Assert.Contains("has no AttentionMaps", Assert.Throws<ArgumentException>(() => Fit(options)).Message);
        options.AccumulationSteps = 2;
        Assert.Contains("GradientCheckpointing", Assert.Throws<ArgumentOutOfRangeException>(() => Fit(options)).Message);
        Assert.Contains("Checkpoint", Assert.Throws<ArgumentException>(() => _context.Transforms.SslFeaturizer(new SslFeaturizerOptions { Method = SslMethod.None })).Message);
    }

    [Fact]
    public void ACheckpointOfAnotherKindIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), """{"model_type": "sam"}""");
        File.Copy(Path.Combine(SslContractSetup.Folder("vit", 16), "model.safetensors"), folder.File("model.safetensors"));
        var error = Assert.Throws<CheckpointException>(() => _context.Transforms.PretrainedFeaturizer(folder.Path).Fit(View()));
        Assert.Contains("'sam'", error.Message);
        Assert.Contains("dinov2", error.Message);
    }

    /// <summary>What a classifier gives beside its answer is what its checkpoint gives without its head.</summary>
    [Fact]
    public void FeaturesOfAPublishedClassifierAreItsOwn()
    {
        using var folder = TestFolders.Temporary();
        using (var trained = _context.Transforms.ViTClassifier(new ViTClassifierOptions { ImageSize = 16, PatchSize = 8, Epochs = 1, Device = "cpu" }).Fit(View()))
            trained.SaveCheckpoint(folder.Path);
        using var classifier = _context.Transforms.ViTClassifier(new ViTClassifierOptions { Checkpoint = folder.Path, TrainedParts = TrainedParts.None, EmbeddingColumnName = "Embedding", Device = "cpu" }).Fit(View());
        using var featurizer = _context.Transforms.PretrainedFeaturizer(folder.Path).Fit(View());
        var expected = ViewValues.Read(classifier.Transform(View()), ["Embedding"]);
        ContractData.AssertClose(expected, ViewValues.Read(featurizer.Transform(View()), ["Embedding"]));
    }

    [Fact]
    public void FeaturesOfSwinAreThoseOfItsOwnFeaturizer()
    {
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, new() { ImageSize = 32, PatchSize = 2, WindowSize = 4, Width = 8, Depths = [1, 2], Heads = [1, 2], MlpRatio = 2 });
        using var own = _context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = folder.Path, Device = "cpu" }).Fit(View());
        using var featurizer = _context.Transforms.SslFeaturizer(new SslFeaturizerOptions { Method = SslMethod.None, Checkpoint = folder.Path, FeatureMapColumnName = "FeatureMap", Device = "cpu" }).Fit(View());
        ContractData.AssertSame(ViewValues.Read(own.Transform(View()), ["Embedding"]), ViewValues.Read(featurizer.Transform(View()), ["Embedding"]));
        Assert.Equal([16, 8, 8], ((VectorDataViewType)featurizer.GetOutputSchema(View().Schema)["FeatureMap"].Type).Dimensions);
    }

    [Theory]
    [InlineData(SslPooling.Class, 8)]
    [InlineData(SslPooling.Mean, 8)]
    [InlineData(SslPooling.ClassAndMean, 16)]
    public void PoolingDecidesWhatAVectorIs(SslPooling pooling, int width)
    {
        using var model = _context.Transforms.SslFeaturizer(new SslFeaturizerOptions
        {
            Method = SslMethod.None, Checkpoint = SslContractSetup.Folder("vit", 16), Pooling = pooling, FeatureMapColumnName = "FeatureMap", Device = "cpu",
        }).Fit(View());
        var rows = ViewValues.Read(model.Transform(View()), ["Embedding", "FeatureMap"]);
        Assert.All(rows, row => Assert.Equal(width, Floats(row[0]).Length));
        if (pooling == SslPooling.Class)
            return;
        var map = Floats(rows[0][1]);      // [8, 2, 2]
        var mean = map.Chunk(4).Select(patches => patches.Average()).ToArray();
        ContractData.AssertClose(mean, Floats(rows[0][0])[^8..]);
    }

    /// <summary>From features without labels to a classifier with few: the classifier begins with the weights that were learned.</summary>
    [Theory]
    [InlineData(SslMethod.SimClr, "resnet")]
    [InlineData(SslMethod.Dino, "vit")]
    public void WhatWasLearnedStartsAClassifier(SslMethod method, string network)
    {
        using var folder = TestFolders.Temporary();
        var options = Options(method);
        options.Checkpoint = SslContractSetup.Folder(network, ToyImages.Side);
        using var model = Fit(options);
        model.SaveCheckpoint(folder.Path);
        IEstimator<ImageClassifierTransformer> estimator = network == "vit"
            ? _context.Transforms.ViTClassifier(new ViTClassifierOptions { Checkpoint = folder.Path, TrainedParts = TrainedParts.Head, Epochs = 1, EmbeddingColumnName = "Embedding", Device = "cpu" })
            : _context.Transforms.ResNetClassifier(new ResNetClassifierOptions { Checkpoint = folder.Path, TrainedParts = TrainedParts.Head, Epochs = 1, EmbeddingColumnName = "Embedding", Device = "cpu" });
        using var classifier = estimator.Fit(View());
        ContractData.AssertClose(ViewValues.Read(model.Transform(View()), ["Embedding"]), ViewValues.Read(classifier.Transform(View()), ["Embedding"]), 1e-4f);
    }

    /// <summary>A map has the size that images are used with, and what is saved says that size.</summary>
    [Fact]
    public void AnotherImageSizeIsTheNetworks()
    {
        using var folder = TestFolders.Temporary();
        var options = Options(SslMethod.SimClr);
        (options.ImageSize, options.FeatureMapColumnName) = (24, "FeatureMap");
        using var model = Fit(options);
        Assert.Equal([32, 3, 3], ((VectorDataViewType)model.GetOutputSchema(View().Schema)["FeatureMap"].Type).Dimensions);
        Assert.All(ViewValues.Read(model.Transform(View()), ["FeatureMap"]), row => Assert.Equal(32 * 9, Floats(row[0]).Length));
        model.SaveCheckpoint(folder.Path);
        using var classifier = _context.Transforms.ResNetClassifier(new ResNetClassifierOptions { Checkpoint = folder.Path, Epochs = 1, Device = "cpu" }).Fit(View());
        Assert.Equal(24, classifier.Preprocessing.OutputHeight);

        options = Options(SslMethod.Dino);
        options.ImageSize = 18;
        Assert.Contains("do not fill", Assert.Throws<ArgumentException>(() => Fit(options)).Message);
    }

    /// <summary>A weights file without a configuration is read as what its tensors say.</summary>
    [Fact]
    public void ABareFileTellsItsSize()
    {
        using var folder = TestFolders.Temporary();
        using (var trained = _context.Transforms.ViTClassifier(new ViTClassifierOptions { Preset = ViTPreset.Tiny16, ImageSize = 32, Epochs = 1, Steps = 1, Device = "cpu" }).Fit(View()))
            trained.SaveCheckpoint(folder.Path);
        using var network = new Microsoft.ML.VisionModels.Families.ViT.ViTModel(ViTPreset.Tiny16).Open(folder.Path).Build();
        Microsoft.ML.VisionModels.Checkpoints.CheckpointLoader.Save(network, Microsoft.ML.VisionModels.Families.ViT.ViTDialect.Timm, folder.File("bare.safetensors"));
        using var whole = _context.Transforms.PretrainedFeaturizer(folder.Path).Fit(View());
        using var bare = _context.Transforms.PretrainedFeaturizer(folder.File("bare.safetensors")).Fit(View());
        // A bare file does not tell how images are prepared: as they are by default, here.
        ContractData.AssertClose(ViewValues.Read(whole.Transform(View()), ["Embedding"]), ViewValues.Read(bare.Transform(View()), ["Embedding"]), 1e-3f);
    }

    /// <summary>The size that a publisher prepares images to may be damaged, and is the file's fault.</summary>
    [Fact]
    public void APreparedSizeThatMakesNoNetworkIsTheFilesFault()
    {
        using var folder = TestFolders.Temporary();
        foreach (var file in Directory.GetFiles(Path.Combine(TestFolders.OwnGolden, "dinov2-classifier")))
            File.Copy(file, folder.File(Path.GetFileName(file)));
        File.WriteAllText(folder.File("preprocessor_config.json"), """{"image_processor_type": "BitImageProcessor", "do_resize": false, "do_center_crop": true, "crop_size": {"height": 2, "width": 2}}""");
        Assert.Contains("2 x 2", Assert.Throws<CheckpointException>(() => _context.Transforms.PretrainedFeaturizer(folder.Path).Fit(View())).Message);
        Assert.Contains("2 x 2", Assert.Throws<CheckpointException>(() => _context.Transforms.PretrainedViTClassifier(folder.Path).Fit(View())).Message);
    }

    [Fact]
    public void OneClassDecidesNothing()
    {
        var options = Options(SslMethod.SimClr);
        options.LabelColumnName = "Label";
        var rows = ToyImages.Rows(Images);
        rows.ForEach(row => row.Label = "all");
        using var model = Fit(options, _context.Data.LoadFromEnumerable(rows));
        Assert.Null(model.History!.BestEpoch);
        Assert.All(model.History.Epochs, epoch => Assert.DoesNotContain("KnnAccuracy", epoch.ValidationMetrics.Keys));
    }

    [Fact]
    public void LaterChangesOfNestedOptionsDoNotReachTheEstimator()
    {
        var options = Options(SslMethod.SimClr);
        var estimator = _context.Transforms.SslFeaturizer(options);
        options.SimClr.ProjectionSize = -1;
        using var model = estimator.Fit(View());
        Assert.NotNull(model);
    }

    private static float[] Floats(object vector) => [.. ((IEnumerable)vector).Cast<float>()];

    private const int Images = 36;

    private IDataView View() => ToyImages.View(_context, Images);

    private static SslFeaturizerOptions Options(SslMethod method)
    {
        var options = new SslFeaturizerOptions
        {
            Method = method, Checkpoint = SslContractSetup.Folder(method is SslMethod.Dino or SslMethod.Mae ? "vit" : "resnet", ToyImages.Side), Epochs = 2, BatchSize = 8, Device = "cpu", Seed = 3,
        };
        (options.SimClr.HiddenSize, options.Byol.HiddenSize, options.Dino.Prototypes, options.Dino.HeadHiddenSize, options.Dino.LocalCrops) = (16, 16, 32, 16, 2);
        (options.Mae.DecoderWidth, options.Mae.DecoderDepth) = (16, 1);
        return options;
    }

    private ImageFeaturizerTransformer Fit(SslFeaturizerOptions options, IDataView? rows = null) => _context.Transforms.SslFeaturizer(options).Fit(rows ?? View());
}
