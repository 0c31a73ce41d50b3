using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>A tiny published model makes images of the texts, in two steps.</summary>
internal sealed class DiffusionGeneratorContractSetup : IContractSetup
{
    public Type Options => typeof(DiffusionGeneratorOptions);

    public void Prepare(OptionBag options, int imageSize) => options.For<DiffusionGeneratorOptions>(generator =>
    {
        (generator.Checkpoint, generator.PromptColumnName) = (Path.Combine(TestFolders.OwnGolden, "diffusion-pipeline-t2i"), "Text");
        (generator.NegativePromptColumnName, generator.ClassColumnName, generator.SeedColumnName, generator.InitialImageColumnName, generator.MaskColumnName) = (null, null, null, null, null);
        (generator.Sampling.Steps, generator.Sampling.Height, generator.Sampling.Width) = (2, 16, 16);
    });
}

/// <summary>A tiny network learns images with their texts.</summary>
internal sealed class DiffusionTrainerContractSetup : IContractSetup
{
    public Type Options => typeof(DiffusionTrainerOptions);

    public void Prepare(OptionBag options, int imageSize) => options.For<DiffusionTrainerOptions>(trainer =>
    {
        // Smaller than the images: a U-Net of half the side takes a fifth of the time.
        trainer.ImageSize = 8;
        (trainer.CaptionColumnName, trainer.LabelColumnName, trainer.SeedColumnName) = ("Text", null, null);
        (trainer.Channels, trainer.VocabularySize, trainer.Sampling.Steps, trainer.Sampling.GuidanceScale) = (8, 520, 2, 1);
    });
}
