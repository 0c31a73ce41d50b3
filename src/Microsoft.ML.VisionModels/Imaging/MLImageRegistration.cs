using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Lets a plain property <c>public MLImage Image { get; set; }</c> stand for an image of any size in the classes that users give to
/// PredictionEngine and CreateEnumerable. By itself ML.NET only takes one with <c>[ImageType(height, width)]</c>, which then does not
/// fit the columns that LoadImages makes.
/// </summary>
internal static class MLImageRegistration
{
#pragma warning disable CA2255 // It must run before ML.NET reads the first such class.
    [ModuleInitializer]
    internal static void Register()
    {
        try
        {
            DataViewTypeManager.Register(new ImageDataViewType(), typeof(MLImage));
        }
        catch (ArgumentException)
        {
            // The application has registered MLImage itself; its registration stays.
        }
    }
#pragma warning restore CA2255
}
