"""Makes documents with several producers in the directory that is named, each with its own word in it."""

import pathlib
import sys

import docx
import fpdf
import openpyxl
import pptx
import pypdf
from datetime import date
from PIL import Image, ImageDraw
from reportlab.pdfgen import canvas

out = pathlib.Path(sys.argv[1])


def word():
    made = docx.Document()
    made.add_heading("Quay rules", level=1)
    made.add_heading("Night shift", level=2)
    made.add_paragraph("Lanterns of kind albatross burn from dusk. Grüße & <signs>.")
    made.add_paragraph("first point", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, [("Berth", "Depth"), ("Seven", "12 m")]):
        for cell, text in zip(row.cells, texts):
            cell.text = text
    made.save(out / "word.docx")


def excel():
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Tides"
    sheet.append(["Day", "Level", "Note"])
    sheet.append([date(2026, 3, 14), 4.25, "bittern"])
    other = made.create_sheet("Crew & co")
    other.append(["cormorant", True])
    made.save(out / "excel.xlsx")


def slides():
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Harbour plan"
    slide.placeholders[1].text = "Dredge the dunlin channel"
    slide.notes_slide.notes_text_frame.text = "Mention the egret"
    made.save(out / "slides.pptx")


def pdfs():
    page = canvas.Canvas(str(out / "reportlab.pdf"))
    page.setFont("Helvetica", 12)
    page.drawString(72, 720, "The fulmar crane lifts forty tonnes.")
    page.showPage()
    page.drawString(72, 720, "On the second page stands a gannet.")
    page.save()
    made = fpdf.FPDF()
    made.add_page()
    made.set_font("Times", size=14)
    made.multi_cell(0, 8, "Mooring lines of the heron class are checked weekly by the harbour master.")
    made.output(str(out / "fpdf.pdf"))
    image = Image.new("RGB", (600, 300), "white")
    ImageDraw.Draw(image).text((30, 30), "a scanned page", fill="black")
    image.save(out / "scan.pdf", "PDF")
    writer = pypdf.PdfWriter(clone_from=str(out / "reportlab.pdf"))
    writer.encrypt("open sesame", algorithm="AES-256")
    writer.write(out / "locked.pdf")
    writer = pypdf.PdfWriter(clone_from=str(out / "reportlab.pdf"))
    writer.encrypt(user_password="", owner_password="owner", algorithm="RC4-128")
    writer.write(out / "printable.pdf")


def locked_word():
    import msoffcrypto.format.ooxml as ooxml

    with open(out / "word.docx", "rb") as plain, open(out / "locked.docx", "wb") as locked:
        ooxml.OOXMLFile(plain).encrypt("open sesame", locked)


word()
excel()
slides()
pdfs()
locked_word()
