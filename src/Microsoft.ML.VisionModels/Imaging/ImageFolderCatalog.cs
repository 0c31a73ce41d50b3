using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML;

/// <summary>Loads folders of images.</summary>
public static class ImageFolderCatalog
{
    /// <summary>
    /// Loads a folder of images in which each class has its own sub-folder. Nothing is decoded until a row's image is asked for.
    /// </summary>
    /// <param name="catalog">The data operations: <c>mlContext.Data</c>.</param>
    /// <param name="path">The folder. Folders below it are searched to any depth, those that links lead to as well, but each once; hidden files and folders are skipped.</param>
    /// <returns>
    /// One row per image, ordered by path, with the columns
    /// <c>Image</c> (<see cref="Data.MLImage"/>: RGB, turned upright by the photograph's EXIF orientation; every read gives a new image, which the reader disposes),
    /// <c>Label</c> (text: the name of the folder directly below <paramref name="path"/> that holds the image) and
    /// <c>ImagePath</c> (text: the file's full path).
    /// Where <paramref name="path"/> holds images only and no class folders, labels are empty, which is ML.NET's missing text: enough to score them.
    /// </returns>
    /// <remarks>
    /// Files are taken by their extension: jpg, jpeg, jfif, png, bmp, gif, webp, ico, wbmp. Images in other formats, class folders without
    /// images, and links that lead back are told in the log, as warnings, and passed over. Reading the image of a damaged file throws an
    /// <see cref="ImageDecodeException"/> that names the row and the file.
    /// </remarks>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidOperationException">There are no images, or there are some in class folders and others beside them.</exception>
    public static IDataView LoadImageFolder(this DataOperationsCatalog catalog, string path)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var notices = MLNet.LogNotices(MLNet.EnvironmentOf(catalog));
        return new ImageFolderView(path);
    }
}
